// Families and micro-personas are found by their ids, too.
// params:
// returns:
CREATE CONSTRAINT family_id IF NOT EXISTS FOR (n:Family) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT micro_persona_id IF NOT EXISTS FOR (n:MicroPersona) REQUIRE n.id IS UNIQUE;
