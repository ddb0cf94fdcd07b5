"""The stages of the offline pipeline: one module and one ``run(config, context)`` a stage.

The order, the inputs and the outputs stand in ``dvc.yaml``; here is only which stages exist.
"""

STAGES = (
    "probe_videos",
    "extract_features",
    "fit_whitening",
    "split_videos",
    "validate_data",
    "train_teacher",
    "mine_pairs",
    "score_pairs",
    "validate_pairs",
    "train_student",
    "label_selector",
    "train_selector",
    "configure_index",
    "build_index",
    "evaluate",
)
