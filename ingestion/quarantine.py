"""Why a row or a file is not accepted: every reason there is, and what it means to a reader."""

ROW_REASONS = {
    "encoding": "cannot be read in the declared encoding, or holds a null character",
    "ragged": "has more or fewer fields than the header, or is no line of its format",
    "open_quote": "opens a quote that no later one closes, or only one with other text behind it",
    "invalid_json": "is not a JSON object",
    "too_long": "is longer than 1 MiB",
    "missing_id": "lacks its key, or an id its kind cannot do without",
    "missing_time": "has no time",
    "unreadable_time": "has a time that the declared formats do not read",
    "ambiguous_time": "has a time that two declared formats read differently",
    "naive_time": "has a time without a zone",
    "time_out_of_range": "lies before 1971 or more than a day after the file was written",
    "not_a_number": "has NaN, infinity or text where a number is expected",
    "long_value": "has an id, or a word that is found by, of more than 1,024 bytes",
    "unknown_value": "has a value that the mapping does not list",
    "unknown_type": "is a message of a kind that is not known",
    "wrong_type": "has a text, an object or a list where its format knows another of these",
}

FILE_REASONS = {
    "empty": "holds nothing",
    "foreign": "is of another kind than expected",
    "cut_off": "is compressed and ends early",
    "unreadable": "cannot be opened or parsed",
    "encoding": "is not in the encoding declared, or that is not known",
    "too_long": "begins with a line longer than 1 MiB",
    "duplicate_header": "names a column twice",
    "missing_column": "lacks a column that its table needs",
}

# What to do, where the reason alone does not say it.
MENDS = {
    "open_quote": "close the quote, or write it twice where it belongs to the text",
    "encoding": "write `encoding: cp1252` in its table, as `personagraph source propose` does "
    "where a spreadsheet program wrote it",
    "time_out_of_range": "a time in 1970 is mostly seconds read as milliseconds (`formats: "
    "epoch_s`) or a 0 where none is known; where times of now are right, the file carries an older "
    "date than its records (a copy or an archive may have given it one): set it, `touch FILE`",
    "ambiguous_time": "write in its table whether the month or the day comes first, with the clock "
    'as its times have it: `time: {column: End Date, formats: "%m/%d/%Y %I:%M:%S %p"}`',
}


def mending(reason: str, hint: str) -> str:
    """A hint that begins with what mends a reason, where that is known."""
    if reason not in MENDS:
        return hint
    return f"{MENDS[reason][0].upper()}{MENDS[reason][1:]}. {hint}"
