"""Data validation with Great Expectations: whether data are valid for training, and which rows are not.

A stage that validates (``validate_data``, ``validate_pairs``) passes tables of facts to a validator;
`dns_ops.quality.validator` is the validator. It writes ``artifacts/quality/<stage>.json``::

    {"name": "validate_data",
     "success": false,
     "suites": [
       {"suite": "corpus",            # corpus, features, leakage, pairs, pair_totals or drift
        "part": "train",              # which data: train, database, queries, test, ...
        "success": false,
        "rows": 72,                   # of the table of facts: videos, pairs, ...
        "expectations": [
          {"expectation": "expect_column_values_to_be_in_set",
           "column": "status",        # empty if of the whole table
           "meaning": "no more than 10% of the files are refused",
           "success": false,
           "failing": 22,             # rows that do not meet it; some may be allowed
           "observed": "",            # of an expectation about the whole table
           "rows": [{"video": "a.mp4", "status": "quarantined: not_a_video"}]}]}]}

and, beside it, ``<stage>.html``: the same for people, the first 100 of the rows, one page without scripts or
anything from elsewhere.
"""
