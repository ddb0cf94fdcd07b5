"""From records to figures and tables: pure functions, without Streamlit."""
