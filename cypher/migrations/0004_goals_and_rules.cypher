// Goals and personas by rule are found by their ids, too.
// params:
// returns:
CREATE CONSTRAINT goal_id IF NOT EXISTS FOR (n:Goal) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT rule_persona_id IF NOT EXISTS FOR (n:RulePersona) REQUIRE n.id IS UNIQUE;
