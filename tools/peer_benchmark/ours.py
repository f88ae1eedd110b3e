"""turbo_stream's live shell over the sound: `python -m tools.peer_benchmark.ours JOB`."""

from __future__ import annotations

from tools.peer_benchmark.child import Answer, Job, Listen, run_child
from tools.peer_benchmark.paced import PacedSound
from turbo_stream import LivePipeline, Pipeline
from turbo_stream.events import Utterance


def load(job: Job) -> Listen:
    """Return the live shell with the shipped Turbo and everything else as it comes."""
    pipeline = Pipeline.load(asr=job.asr)

    def listen(sound: PacedSound) -> list[Answer]:
        answers = []
        for event in LivePipeline(pipeline, sound).run():
            if isinstance(event, Utterance) and event.decision != "dropped":
                now_s = sound.now_s
                waited_s = event.latency_ms["endpoint_to_decision"] / 1000
                guard = event.asr.get("guard")
                answers.append(Answer(now_s - waited_s, now_s, event.text, guard))
        return answers

    return listen


if __name__ == "__main__":
    run_child(load)
