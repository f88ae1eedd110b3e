"""Own sentences of a household, said to a device and to people; CC0, as the scene itself."""

from __future__ import annotations

from tools.corpus.build_scene import KITCHEN

_COMMANDS = """
Stop.|Yes.|No.|Pause.|Louder.|Next.|Stop the music.|Stop the timer.|Pause the music.
Turn on the lights.|Turn off the lights.|Turn the volume up.|Turn the volume down.
What is the weather today?|What is the weather tomorrow?|Will it rain tomorrow?
What time is it?|How long is left on the timer?|Play some music.|Play the next song.
Close the window.|Open the front door.|Lock the front door.|Wake me up at seven.
Call my sister.|Read the news.|Remind me to call mom.|Good night.|What is on my list?
"""

_TALK = """
I saw your brother at the station, he looked so tired.|She looked so happy.|Really?
Did she tell you about her new house?|Did he tell you about his new job?
I saw your sister at the market.|And that was the last goal of the evening.
And that was the final song of the night.|The match will open in spring.
Hi dad, yes, we are just making coffee.|Hi mom, no, we are just eating dinner.
We are just making dinner.|I think he wanted to come with us.|No, he wanted to stay.
I don't think she wanted to eat with us.|We should have called an hour ago.
We should have left an hour ago.|You know, we should go.|Well, my brother was early again.
My mother was late again.|The mayor said the bridge will close in winter.
The mayor said the school will open in spring.|The bridge will open in spring.
Is there any bread left?|I put the milk on the table.|He said the music was too loud.
She left the lights on in the kitchen again.|Ten minutes later he was gone.
It was raining all week.|Tomorrow I will see my mother.|I told him to stop.
Do you want some coffee?|Yes, please.|No, thank you.|Come here and sit down.
What did you say?|I don't know.|We had dinner with the neighbours.|It is too late now.
The weather was so bad that we stayed at home.|Her new job starts in spring.
You know he never calls.|They went to the market in the morning.|Dinner will be ready soon.
"""


def sentences() -> list[str]:
    """Return every distinct sentence, those of the scene first."""
    own = [line for block in (_COMMANDS, _TALK) for line in block.replace("\n", "|").split("|")]
    scene = [line.text for line in KITCHEN]
    return list(dict.fromkeys(scene + [line for line in own if line]))
