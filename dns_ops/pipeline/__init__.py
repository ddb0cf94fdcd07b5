"""Running the DAG: with DVC here, step by step, on another machine."""
