"""How findings are found by their words through an index, although row-level security holds.

PostgreSQL compares no value with an index before the policy has been asked, unless the operator is known to tell nothing of rows
that it refuses, and `@@` is not. So the index is asked by a function that runs as the owner of the table, to whom the policy does
not apply, and that names the organisation itself, as the policy does.
"""

#: Words of a finding as a branch has it. The branch is a word too: a search reads the places in that branch that have these words,
#: whatever other branches, and other organisations, have.
WORDS_OF_PLACE = """
CREATE OR REPLACE FUNCTION words_of_place(document jsonb, file text, branch_id uuid) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT to_tsvector('pg_catalog.simple', coalesce(document ->> 'title', '') || ' '
      || replace(coalesce(document ->> 'rule', ''), '-', ' ') || ' ' || coalesce(document ->> 'cwe', '') || ' ' || file)
    || array_to_tsvector(ARRAY[branch_id::text])
$$
"""

FINDINGS_WITH_WORDS = """
CREATE OR REPLACE FUNCTION findings_with_words(branch uuid, words tsquery) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
  SELECT finding_id FROM public.findings_in_branches
  WHERE public.words_of_place(document, file, branch_id) @@ (quote_literal(branch)::tsquery && words)
    AND branch_id = branch AND tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid
$$
"""
