"""The mapping that is written beside the simulated data (docs/mapping.md)."""

MAPPING = """\
# How the exports of this company are read. The company does not exist (docs/world.md).
name: hearth-and-bench
about: A made-up home and hobby shop with a web site, an app, stores and a membership.
consent: {default: granted, basis: customers accept the terms when they open an account}
time_zone: Europe/Berlin          # for times that carry no zone themselves
reporting_time_zone: UTC          # by whose clock its people keep their hours

tables:
  product:                        # web site and app, through Segment
    files: "segment/*.jsonl.gz"
    format: segment

  contacts:                       # the CRM; a second row of the same person has no user_id
    files: crm/contacts.csv
    kind: profile
    key: contact_id
    identifiers:
      crm: {column: contact_id, unique: false}
      user_id: user_id
      customer_no: customer_no
      email: [email, secondary_email]
      phone: phone
    person:                       # tells people apart who share an address, a telephone, a mailbox
      given_name: first_name
      family_name: last_name
      street: street
      city: city
      postcode: postal_code
    time: {column: created_on, formats: "%Y-%m-%d"}
    traits: [region, age_band, plan]
    describe: [region, age_band, plan]

  campaigns:
    files: crm/campaigns.csv
    kind: campaign
    key: campaign_id
    item:
      id: campaign_id
      title: name
      categories: [type]
      starts: {column: starts_on, formats: "%Y-%m-%d"}
      ends: {column: ends_on, formats: "%Y-%m-%d"}
      attributes: [offer]

  members:                        # who was sent what; arm `control` was held out at random
    files: crm/campaign_members.csv
    kind: event
    key: member_id
    identifiers: {crm: contact_id}
    time: {column: sent_at, formats: "%Y-%m-%d %H:%M"}
    verb: received
    channel: email
    campaign: {id: campaign_id, arm: arm}

  support:                        # free text; personal data in it is masked when it is read
    files: support/tickets.jsonl
    format: tickets

  survey:                         # the survey tool runs on London time and says so nowhere
    files: survey/answers.csv
    format: survey
    key: response_id
    identifiers: {email: email}
    time: {column: submitted_at, formats: "%d/%m/%Y %H:%M", zone: Europe/London}
    questions: {file: survey/questions.csv, id: question_id, text: question}

  orders:                         # order lines carry no id of their own
    files: shop/order_lines.parquet
    kind: event
    identifiers: {customer_no: customer_no}
    time: ordered_at
    channel: {column: channel}
    verb: bought
    item: sku
    quantity: quantity
    value: [quantity, unit_price]
    basket: order_id

  catalogue:
    files: shop/catalogue.csv
    kind: item
    key: sku
    item: {id: sku, title: name, categories: [department, category, subcategory], price: price}

  consents:
    files: consent/consent.csv
    kind: consent
    key: consent_id
    identifiers: {email: email, user_id: user_id}
    time: changed_at
    consents: [{purpose: {column: purpose}, granted: status}]
"""
