"""The dashboard: pages that ask the query service, Prefect, MLflow and DVC, and compute nothing themselves.

app.py          the shell: navigation, look, who may see it
navigation.py   which pages there are
sources.py      where a page gets what it shows
states.py       how a page says that there is nothing, that it waits, or that something failed
look.py         what Streamlit's own widgets do not have
formats.py      figures and names as text
pages/          one module a page, each with `render`
panels/         from records to figures and tables; pure functions without Streamlit
"""
