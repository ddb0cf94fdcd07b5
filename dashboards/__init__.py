"""The dashboard: pages that ask the query service, Prefect, MLflow and DVC, and compute nothing themselves.

shell/          what Streamlit runs: the entry, the sidebar, theme and settings
navigation.py   which pages there are
sources.py      where a page gets what it shows: the query service, the services of this machine
records.py      the same of the workspace's files, MLflow and Prefect
states.py       how a page says that there is nothing, that it waits, or that something failed
look.py         what Streamlit's own widgets do not have
formats.py      figures and names as text
querying/, indexing/, running/, deciding/   parts of pages that are long
pages/          one module a page, each with `render`
panels/         from records to figures and tables; pure functions without Streamlit
"""
