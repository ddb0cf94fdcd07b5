"""Settings shared by every training loop; ``params.yaml`` gives each its values."""

from pydantic import BaseModel, ConfigDict, Field

from dns_core.records import Precision


class StrictModel(BaseModel):
    """A frozen group of settings in which an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OptimisationConfig(StrictModel):
    """How a network is optimised (Adam; Kingma and Ba, 2015).

    Attributes:
        epochs: passes over the training data at most.
        learning_rate: peak step size; it follows half a cosine to a tenth of itself.
        weight_decay: decoupled decay (AdamW); 0 is plain Adam.
        patience: epochs without a better validation loss after which training stops.
        precision: of the forward pass (see `dns_core.precision`).
    """

    epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    patience: int = Field(ge=1)
    precision: Precision
