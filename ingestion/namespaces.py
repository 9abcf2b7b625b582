"""What people are named by: the namespaces of identifiers that are known without being told."""

# namespace: (trust, unique). Trust 1 is the strongest; unique: a person has at most one value.
NAMESPACES: dict[str, tuple[int, bool]] = {
    "email": (2, False),
    "phone": (3, False),
    "advertising_id": (4, False),
    "anonymous_id": (5, False),
    "device_id": (5, False),
    "cookie_id": (5, False),
    # What vendors of product analytics make up for a person, a browser or a network of theirs.
    "distinct_id": (2, False),
    "amplitude_id": (2, False),
    "person_id": (2, False),
    "domain_userid": (5, False),
    "network_userid": (5, False),
    "user_pseudo_id": (5, False),
    "visitor": (5, False),
    # Kept, but nobody is merged on it.
    "name": (6, False),
    "address": (6, False),
    "date_of_birth": (6, False),
    "ip": (6, False),
    "user_agent": (6, False),
    "fingerprint": (6, False),
    "session_id": (6, False),
}
# What messages and tickets name people by without being told.
FORMAT_NAMESPACES = {
    "segment": (
        "user_id", "anonymous_id", "email", "phone", "device_id", "advertising_id",
    ),
    "tickets": ("zendesk", "email", "phone", "user_id"),
    "snowplow": ("user_id", "domain_userid", "network_userid", "device_id", "email"),
    "amplitude": (
        "user_id", "device_id", "amplitude_id", "email", "phone", "advertising_id",
    ),
    "posthog": (
        "user_id", "distinct_id", "person_id", "anonymous_id", "device_id", "email", "phone",
    ),
    "ga4": ("user_id", "user_pseudo_id", "device_id", "advertising_id"),
    "mixpanel": ("user_id", "distinct_id", "device_id", "email", "phone"),
    "cloudevents": ("user_id", "anonymous_id", "device_id", "email", "phone"),
    "otel": ("user_id", "anonymous_id", "device_id", "email"),
    "weblogs": ("user_id", "visitor"),
    "qualtrics": ("email", "external_reference"),
    "surveymonkey": ("email",),
    "typeform": ("email",),
}  # fmt: skip
