#!/usr/bin/env python3
"""Times reading a large structure beside gemmi's Python module: mmCIF in both, BinaryCIF in ours.

    cargo build --release -p kfold-molecule --example time_reading
    python3 -m venv /tmp/reading && /tmp/reading/bin/pip install gemmi msgpack numpy
    /tmp/reading/bin/python tests/benchmark/reading.py target/release/examples/time_reading ENTRY.cif --copies 8

ENTRY.cif is any mmCIF entry of the archive; its atoms are repeated COPIES times with other chain identifiers and places
(6WG6 eight times has 160,304 atoms). Both programs run in turns, REPEATS times each, every time in a process of its own,
and the least time counts: on a busy machine the least is the one least disturbed. Times are given on the clock and of
the processors. gemmi's time is `gemmi.read_structure`; ours is `formats::read_structure`, which besides assigns bonds and
residue kinds. Memory is the peak of the whole process, for gemmi with its interpreter, less that of the interpreter with
gemmi imported and nothing read.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import gemmi
import msgpack
import numpy

GEMMI = """
import gemmi, json, sys, time
def peak():
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = peak()
clock, processor = time.perf_counter(), time.process_time()
structure = gemmi.read_structure(sys.argv[1])
seconds = [time.perf_counter() - clock, time.process_time() - processor]
print(json.dumps({"seconds": seconds, "peak_mib": peak(), "own_mib": peak() - before}))
"""


def enlarged(entry, copies):
    """The entry's block with its atoms repeated."""
    block = gemmi.cif.read(entry).sole_block()
    table = block.find_mmcif_category("_atom_site.")
    items = [tag.split(".", 1)[1] for tag in table.tags]
    rows = [list(row) for row in table]
    place = {item: column for column, item in enumerate(items)}
    repeated = []
    for copy in range(copies):
        for row in rows:
            row = list(row)
            row[place["id"]] = str(len(repeated) + 1)
            if copy:
                for item in ("label_asym_id", "auth_asym_id"):
                    row[place[item]] += str(copy)
            row[place["Cartn_x"]] = f"{float(row[place['Cartn_x']]) + 300 * copy:.3f}"
            repeated.append(row)
    loop = block.init_mmcif_loop("_atom_site.", items)
    loop.set_all_values([list(column) for column in zip(*repeated)])
    return block


def packed(values):
    """IntegerPacking into one or two bytes, or none where that takes more."""
    size = len(values)
    for count, kind, high, low in ((1, numpy.int8, 127, -128), (2, numpy.int16, 32767, -32768)):
        times = numpy.where(values >= 0, values // high, (-values) // -low)
        if times.sum() + size > size * (2 if count == 1 else 1.5):
            continue
        limit = numpy.where(values >= 0, high, low)
        parts = numpy.repeat(limit, times + 1)
        parts[numpy.cumsum(times + 1) - 1] = values - times * limit
        steps = [{"kind": "IntegerPacking", "byteCount": count, "isUnsigned": False, "srcSize": size},
                 {"kind": "ByteArray", "type": count}]
        return parts.astype(kind).tobytes(), steps
    return values.astype(numpy.int32).tobytes(), [{"kind": "ByteArray", "type": 3}]


def integers(values):
    """The shortest of packing, run lengths and differences."""
    values = numpy.asarray(values, dtype=numpy.int64)
    change = numpy.flatnonzero(numpy.diff(values, prepend=values[0] - 1))
    runs = numpy.stack([values[change], numpy.diff(change, append=len(values))], axis=1).ravel()
    run_step = {"kind": "RunLength", "srcType": 3, "srcSize": len(values)}
    delta = numpy.diff(values, prepend=values[0])
    delta_step = {"kind": "Delta", "origin": int(values[0]), "srcType": 3}
    change = numpy.flatnonzero(numpy.diff(delta, prepend=delta[0] - 1))
    delta_runs = numpy.stack([delta[change], numpy.diff(change, append=len(delta))], axis=1).ravel()
    ways = [(values, []), (runs, [run_step]), (delta, [delta_step]), (delta_runs, [delta_step, run_step])]
    encoded = []
    for numbers, steps in ways:
        data, rest = packed(numbers)
        encoded.append({"data": data, "encoding": steps + rest})
    return min(encoded, key=lambda one: len(one["data"]))


def column(name, values):
    null = numpy.array([{".": 1, "?": 2}.get(value, 0) for value in values])
    mask = integers(null) if null.any() else None
    plain = [gemmi.cif.as_string(value) if not none else "" for value, none in zip(values, null)]
    try:
        if any("." in value for value in plain):
            decimals = max(len(value.partition(".")[2]) for value in plain)
            scaled = numpy.array([float(value or 0) for value in plain]) * 10 ** decimals
            data = integers(numpy.rint(scaled))
            data["encoding"].insert(0, {"kind": "FixedPoint", "factor": 10 ** decimals, "srcType": 33})
        else:
            data = integers([int(value or 0) for value in plain])
    except ValueError:
        distinct = list(dict.fromkeys(plain))
        index = {text: number for number, text in enumerate(distinct)}
        indices = integers([index[text] for text in plain])
        offsets = integers(numpy.cumsum([0] + [len(text.encode()) for text in distinct]))
        data = {"data": indices["data"], "encoding": [{
            "kind": "StringArray", "dataEncoding": indices["encoding"], "stringData": "".join(distinct),
            "offsetEncoding": offsets["encoding"], "offsets": offsets["data"]}]}
    return {"name": name, "data": data, "mask": mask}


def binary(block):
    categories = []
    for category in block.get_mmcif_category_names():
        table = block.find_mmcif_category(category)
        columns = [column(tag.split(".", 1)[1], [row[at] for row in table]) for at, tag in enumerate(table.tags)]
        categories.append({"name": category.rstrip("."), "rowCount": len(table), "columns": columns})
    return msgpack.packb({"encoder": "reading.py", "version": "0.3.0",
                          "dataBlocks": [{"header": block.name, "categories": categories}]})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("entry")
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--keep", help="keep the large files in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or scratch
        text, packed_file = os.path.join(folder, "large.cif"), os.path.join(folder, "large.bcif")
        block = enlarged(options.entry, options.copies)
        document = gemmi.cif.Document()
        document.add_copied_block(block)
        document.write_file(text, gemmi.cif.Style.Aligned)
        with open(packed_file, "wb") as file:
            file.write(binary(block))
        runs = {"gemmi mmCIF": [], "ours mmCIF": [], "ours BinaryCIF": []}
        for _ in range(options.repeats):
            for name, command in [
                ("gemmi mmCIF", [sys.executable, "-c", GEMMI, text]),
                ("ours mmCIF", [options.program, "1", text]),
                ("ours BinaryCIF", [options.program, "1", packed_file]),
            ]:
                runs[name].append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
        print(f"{os.path.getsize(text) / 2**20:.1f} MiB mmCIF, {os.path.getsize(packed_file) / 2**20:.1f} MiB BinaryCIF, "
              f"{runs['ours mmCIF'][0]['atoms']} atoms; least of {options.repeats}")
        for name, results in runs.items():
            least = lambda field, kind: min(result[field][kind] for result in results) * 1000
            line = f"{name:15} {least('seconds', 0):7.0f} ms clock {least('seconds', 1):7.0f} ms processors"
            if "bond_seconds" in results[0]:
                line += f" (of these bonds {least('bond_seconds', 0):.0f}, {least('bond_seconds', 1):.0f})"
            memory = min(result.get("own_mib", result["peak_mib"]) for result in results)
            print(f"{line} {memory:7.0f} MiB")


if __name__ == "__main__":
    main()
