"""How the weights are found: steps, rates, stopping."""

from dataclasses import dataclass

from turbo_stream.errors import InputError


@dataclass(frozen=True)
class TrainConfig:
    """The optimization."""

    steps: int = 900
    """Optimizer steps at most."""

    batch: int = 64
    """Rows a step and rank (each in as many views as the objective has); all are negatives of each
    other, over the ranks too."""

    chunk: int = 0
    """Rows that go through the network together, where `batch` is too many for the memory; the
    gradients are those of the whole batch all the same. 0: all of them."""

    accumulate: int = 1
    """Batches whose gradients are averaged for one step. Unlike with `chunk`, rows of different
    batches are no negatives of each other."""

    learning_rate: float = 1e-4
    """Peak rate of the text tower's pretrained layers."""

    audio_rate: float = 3e-4
    """Peak rate of the audio tower's: they have further to go, from turn ends to intent."""

    head_rate: float = 5e-4
    """Peak rate of everything new."""

    temperature_rate: float = 1e-2
    """Peak rate of the temperature's logarithm, which no step changes by more. A head's rate would
    move it by a tenth in two hundred steps, whatever its gradient says."""

    weight_decay: float = 0.01
    """AdamW's."""

    warmup: int = 50
    """Steps of linear warm-up; a cosine to zero follows."""

    clip: float = 1.0
    """Longest gradient, as a norm over all parameters; a longer one is shortened to it. Those of
    the classes' terms and of the contrastive ones are shortened each on its own before they are
    added: a large weight of the ones takes nothing from the others."""

    evaluate_every: int = 100
    """Steps between looks at the development set."""

    patience: int = 5
    """Looks without improvement before the run stops."""

    no_text: float = 0.2
    """Share of the recordings whose text is withheld."""

    no_audio: float = 0.2
    """Share of the recordings with text whose sound is withheld."""

    bf16: bool = False
    """Autocast to bfloat16; worth it on CPUs with AMX and on GPUs."""

    compile: bool = False
    """Compile the trained parts with torch.compile; not together with `chunk`."""

    threads: int = 1
    """CPU threads."""

    checkpoint_every: int = 100
    """Steps between checkpoints, from which an interrupted run goes on; 0 for none."""

    resume: bool = True
    """Go on from the checkpoint in the output folder, if it is of the same run."""

    tensorboard: bool = True
    """Write curves to `tensorboard` in the output folder."""

    def check(self) -> None:
        """Raise InputError where a field cannot be."""
        for name in ("steps", "batch", "accumulate", "evaluate_every", "patience", "threads"):
            if getattr(self, name) < 1:
                raise InputError(f"train.{name}={getattr(self, name)}: at least 1")
        for name in ("chunk", "warmup", "checkpoint_every"):
            if getattr(self, name) < 0:
                raise InputError(f"train.{name}={getattr(self, name)}: at least 0")
        if self.compile and self.chunk:
            raise InputError(
                "train.compile=true with train.chunk: compiled passes with and without a graph "
                "need not draw the same dropout masks; choose one of them"
            )
