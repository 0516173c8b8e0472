"""After a render by Quarto: the hook `project.post-render`; see `quarto_prepare.py`."""

import sys

from quarto_prepare import hand_over

if __name__ == "__main__":
    sys.exit(hand_over("analysis.site.postprocess"))
