"""Make the small panel on which packages are compared: data/validation/parity/panel.parquet.

36 villages × 5 to 9 households × 7 years; incomes are whole yuan. Run once; the file is committed,
because random streams may change between versions of numpy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

OUT = Path(__file__).resolve().parents[2] / "data" / "validation" / "parity" / "panel.parquet"
YEARS = np.arange(2014, 2021)
COHORTS = (0, 2016, 2017, 2019)


def main() -> None:
    """Write the panel."""
    generator = np.random.default_rng(20_260)
    frames = []
    household = 0
    for village in range(36):
        of_village = COHORTS[village % 4]
        shock = generator.normal(0, 400, YEARS.size).cumsum()
        for _ in range(int(generator.integers(5, 10))):
            own = int(generator.choice(COHORTS, p=(0.4, 0.2, 0.2, 0.2)))
            stratum = int(generator.integers(0, 2))
            weight = round(float(generator.uniform(0.5, 3)), 2)
            level = generator.normal(9000, 2500) + 1500 * stratum
            trend = 250 * stratum * (YEARS - YEARS[0])
            noise = generator.normal(0, 900, YEARS.size)
            effect = sum(
                scale * np.maximum(0, YEARS - g + 1) ** 0.5 * (g > 0)
                for g, scale in ((of_village, 500), (own, 300))
            )
            income = np.rint(level + trend + shock + noise + effect).astype(np.int64)
            frames.append(
                pl.DataFrame(
                    {
                        "household": household,
                        "village": village,
                        "period": YEARS,
                        "income": income,
                        "weight": weight,
                        "stratum": stratum,
                        "cohort_village": of_village,
                        "cohort_household": own,
                        "seen": generator.random(YEARS.size) > 0.15,
                    }
                )
            )
            household += 1
    whole = ("household", "village", "period", "stratum", "cohort_village", "cohort_household")
    pl.concat(frames).with_columns(pl.col(whole).cast(pl.Int32)).write_parquet(OUT)


if __name__ == "__main__":
    main()
