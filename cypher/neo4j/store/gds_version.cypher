// Which Graph Data Science library this is; an unknown function when there is none.
// params:
// returns: version STRING
RETURN gds.version() AS version
