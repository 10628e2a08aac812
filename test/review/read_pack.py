"""Prints the rows of the population of a pack, as the csv module and openpyxl read them."""
import csv
import json
import sys
import warnings

import openpyxl

warnings.simplefilter("ignore")
pack = sys.argv[1]
with open(f"{pack}/population.csv", encoding="utf-8-sig", newline="") as file:
    rows = list(csv.reader(file))
sheet = openpyxl.load_workbook(f"{pack}/population.xlsx").worksheets
cells = [list(row) for row in sheet[0].iter_rows()]
print(
    json.dumps(
        {
            "csv": rows,
            "xlsx": [[cell.value for cell in row] for row in cells],
            "types": sorted({cell.data_type for row in cells for cell in row if cell.value is not None}),
            "sheets": [each.title for each in sheet],
            "frozen": sheet[0].freeze_panes,
        }
    )
)
