"""What all pages have in common, apart from them: Streamlit runs any `pages` beside its script on its own."""
