#!/usr/bin/env python3
"""Times our networks beside the reference's in PyTorch, on the same random weights and inputs, taking turns in one run.

    cargo build --release -p kfold-inference --examples
    python3 tests/benchmark/kfold/networks.py [--case trunk ..] [--repeats 5] [--output FILE.md]
    packaging/cuda.sh benchmark        on a card: trunk, sampler and language model at 256, 512 and 1024 tokens

The reference is K-Fold 1.0.0 from PyPI, its plain PyTorch path (kernel_backend="torch"), float32, eager, as many threads as ours
(RAYON_NUM_THREADS, OMP_NUM_THREADS: the machine's cores). Both halves are processes that load the weights once and then
compute when told, ours, theirs, ours, theirs, ..; the results are compared too. Times are medians; memory is the most that
the process held while computing, over what it held before (weights, inputs and libraries), and with it.

Python packages (PyTorch with its CUDA libraries is about 5 GB although it runs on the processor) go into a virtual environment
under `target/` on first use; BENCHMARK_PYTHON=1 takes the packages of the Python at hand instead.

On a card (`--device cuda`) the reference runs as its own program does: bf16 autocast for trunk and language model, float32 without TF32
for the score model, its Triton kernels where they are installed (with PyTorch's CUDA wheels they are); which path it took
stands in the table. Ours has its matrices in bf16 where autocast rounds. Times are on the clock, the card's work done. `--rehearse` does the
same on the processor, to try the script where there is no card.

A case is an entry of CASES here and an arm of `case` in inference/examples/networks_benchmark.rs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PACKAGES = ["torch==2.15.0", "numpy", "safetensors", "omegaconf", "einops"]
REFERENCE = ["kfold==1.0.0", "atlasfold==1.0.4"]


def environment():
    """Starts this script again inside the virtual environment, which is made on first use."""
    folder = REPOSITORY / "target" / "networks-venv"
    python = folder / "bin" / "python"
    if os.environ.get("BENCHMARK_PYTHON") or Path(sys.prefix).resolve() == folder.resolve():
        return
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *PACKAGES], check=True)
        subprocess.run([*pip, *REFERENCE], check=True)
        (folder / "complete").touch()
    os.execv(str(python), [str(python), *sys.argv])


def random_weights(module):
    """Noise of unit gain everywhere: the reference starts its last layers at zero, which would hide errors."""
    import torch

    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape)
        if parameter.ndim >= 2:
            parameter.copy_(noise / parameter.shape[-1] ** 0.5)
        else:
            parameter.copy_(0.1 * noise + (1.0 if name.endswith("weight") else 0.0))


class Trunk:
    """Blocks of the trunk: triangle multiplication out and in, transition."""

    sizes = [dict(channel_z=c, tokens=n, blocks=1) for c in (256, 128) for n in (128, 256)]
    autocast = True

    @staticmethod
    def card_sizes(tokens):
        return [dict(channel_z=256, tokens=n, blocks=4) for n in tokens]

    @staticmethod
    def title(config):
        blocks = "trunk block" if config["blocks"] == 1 else f"{config['blocks']} trunk blocks"
        return f"{blocks}, c_z {config['channel_z']}, {config['tokens']} tokens"

    @staticmethod
    def module(config):
        from kfold.model.modules.tri_stack import TrianglularStack

        return TrianglularStack(config["channel_z"], config["blocks"], kernel_backend=config.get("backend", "torch"))

    @staticmethod
    def inputs(config):
        import torch

        n = config["tokens"]
        # The last pairs are padding, as in production.
        mask = (torch.arange(n) < n - 5).to(torch.uint8)
        return dict(z=torch.randn(1, n, n, config["channel_z"]), pair_mask=(mask[:, None] * mask[None])[None])

    @staticmethod
    def run(module, inputs):
        # The reference adds in place.
        return dict(z=module(inputs["z"].clone(), inputs["pair_mask"].bool()))


class AtlasLm:
    """The protein language model over one chain: a few layers at the widths of the 600M and the 3B model."""

    sizes = [
        dict(d_model=d, n_heads=h, n_layers=layers, tokens=n)
        for d, h, layers in ((1152, 18, 4), (2304, 36, 2))
        for n in (128, 256)
    ]
    autocast = True

    @staticmethod
    def card_sizes(tokens):
        return [dict(d_model=2304, n_heads=36, n_layers=4, tokens=n) for n in tokens]

    @staticmethod
    def title(config):
        return f"AtlasLM, {config['n_layers']} layers of width {config['d_model']}, {config['tokens']} tokens"

    @staticmethod
    def module(config):
        from atlaslm.model import AtlasLM

        return AtlasLM(config["d_model"], config["n_heads"], config["n_layers"])

    @staticmethod
    def inputs(config):
        import torch

        positions = torch.arange(config["tokens"])[None]
        return dict(input_ids=4 + positions * 7 % 20, seq_id=torch.ones_like(positions), pos_id=positions)

    @staticmethod
    def run(module, inputs):
        return dict(out=module(inputs["input_ids"], inputs["seq_id"], inputs["pos_id"]).embeddings)


class AtlasLmStreamed(AtlasLm):
    """Ours reads every layer from the file as it computes; the reference has all of them in memory."""

    sizes = [dict(d_model=2304, n_heads=36, n_layers=8, tokens=256)]

    @staticmethod
    def title(config):
        return AtlasLm.title(config) + ", ours streamed"


class Tokenizer:
    """A structure tokenizer at its published size: what is looked up in the codebook."""

    sizes = [dict(residues=40)]

    @staticmethod
    def inputs(config):
        import torch
        from kfold.model.layers.struct_enc.fa_vqvae.utils import residue_constants as constants

        # Side chains as long as those of an average protein, atoms about their CA, a chain of steps of 3.8 Å.
        names = dict(
            A="CB", G="", L="CB CG CD1 CD2", K="CB CG CD CE NZ", E="CB CG CD OE1 OE2", S="CB OG", V="CB CG1 CG2",
            R="CB CG CD NE CZ NH1 NH2", F="CB CG CD1 CD2 CE1 CE2 CZ", W="CB CG CD1 CD2 NE1 CE2 CE3 CZ2 CZ3 CH2",
        )
        sequence = [list(names)[i * 7 % 10] for i in range(config["residues"])]
        trace = torch.cumsum(torch.nn.functional.normalize(torch.randn(len(sequence), 3), dim=1) * 3.8, 0)
        coords = torch.full((len(sequence), 37, 3), float("nan"))
        for i, letter in enumerate(sequence):
            for name in ["N", "CA", "C", "O", *names[letter].split()]:
                offset = torch.zeros(3) if name == "CA" else 1.5 * torch.randn(3)
                coords[i, constants.atom_order[name]] = trace[i] + offset
        return dict(coords=coords, aatypes=torch.tensor([constants.restype_order[letter] for letter in sequence]))


class BackboneTokenizer(Tokenizer):
    @staticmethod
    def title(config):
        return f"backbone tokenizer, {config['residues']} residues"

    @staticmethod
    def module(config):
        from kfold.model.layers.struct_enc import BackboneTokenizer

        return BackboneTokenizer()

    @staticmethod
    def run(module, inputs):
        import torch

        coords = inputs["coords"][None, :, :3]
        return dict(z=module.encoder(coords, torch.arange(1, coords.shape[1] + 1)[None]))


class FullAtomTokenizer(Tokenizer):
    @staticmethod
    def title(config):
        return f"full-atom tokenizer, {config['residues']} residues"

    @staticmethod
    def module(config):
        from kfold.model.layers.struct_enc import FullAtomTokenizer

        return FullAtomTokenizer()

    @staticmethod
    def run(module, inputs):
        import torch

        coords, types = inputs["coords"][None], inputs["aatypes"][None]
        numbers = torch.arange(1, coords.shape[1] + 1)[None]
        return dict(z=module.encoder(types, coords, numbers, torch.ones_like(types, dtype=torch.bool)))


class Score:
    """One step of the score model for all samples at once; what depends on the trunk alone is made before, in both halves."""

    sizes = [
        dict(
            channel_a=1024,
            channel_s=384,
            channel_z=256,
            channel_atom=128,
            channel_atompair=16,
            channel_coords=6,
            separate_endpoint_atom_encoder=True,
            atom_encoder_blocks=3,
            atom_encoder_heads=4,
            token_transformer_blocks=16,
            token_transformer_heads=16,
            atom_decoder_blocks=3,
            atom_decoder_heads=4,
            tokens=n,
            samples=samples,
        )
        for n in (128, 256)
        for samples in (5, 1)
    ]
    # The reference samples outside autocast.
    autocast = False

    @classmethod
    def card_sizes(cls, tokens):
        return [dict(cls.sizes[0], tokens=n) for n in tokens]

    @staticmethod
    def title(config):
        samples = "1 sample" if config["samples"] == 1 else f"{config['samples']} samples"
        return f"score model step, {config['tokens']} tokens, {8 * config['tokens']} atoms, {samples}"

    @staticmethod
    def module(config):
        from kfold.model.modules.score_model import DiffusionModule

        sizes = {key: value for key, value in config.items() if key not in ("tokens", "samples", "backend")}
        return DiffusionModule(sizes, kernel_backend=config.get("backend", "torch"))

    @staticmethod
    def inputs(config):
        import torch

        n, samples = config["tokens"], config["samples"]
        atoms = 8 * n
        token = torch.arange(n)
        atom_token = torch.arange(atoms) // 8
        # Two chains; the last tokens are padding, as in production.
        chain = 1 + 2 * token // n
        real, atom_real = (token < n - 5), (atom_token < n - 5)
        integers = {
            "chain": dict.fromkeys("chain_type entity_id asym_id apo_uid sym_id num_tokens num_residues num_atoms".split()),
            "token": dict.fromkeys(
                "chain_type entity_id asym_id apo_uid sym_id res_type num_atoms token_index residue_index "
                "seq_token_index center_index repr_index".split()
            ),
            "atom": dict.fromkeys("atom_type ref_element ref_space_uid token_index atom_index".split()),
            "bond": {"bond_type": None},
            "sequence": dict.fromkeys("chain_type asym_id seq_token_id pos_id".split()),
        }
        lengths = dict(chain=2, token=n, atom=atoms, bond=1, sequence=n)
        tensors = {f"{layout}.pad_mask": torch.ones(length, dtype=torch.uint8) for layout, length in lengths.items()}
        for layout, names in integers.items():
            for name in names:
                tensors[f"{layout}.{name}"] = torch.zeros(lengths[layout], dtype=torch.int32)
        wide = lambda layout, *dims, dtype=torch.int32: torch.zeros(lengths[layout], *dims, dtype=dtype)
        floats, flags = torch.float32, torch.uint8
        tensors |= {
            "token.is_standard": wide("token", dtype=flags),
            "token.frame_index": wide("token", 3),
            "token.frame_mask": wide("token", dtype=flags),
            "token.apo_center_coords": wide("token", 1, 3, dtype=floats),
            "token.apo_repr_coords": wide("token", 1, 3, dtype=floats),
            "token.apo_frame_coords": wide("token", 1, 3, 3, dtype=floats),
            "token.apo_center_mask": wide("token", 1, dtype=flags),
            "token.apo_repr_mask": wide("token", 1, dtype=flags),
            "token.apo_frame_mask": wide("token", 1, dtype=flags),
            "atom.ref_mask": wide("atom", dtype=flags),
            "atom.apo_coords": wide("atom", 1, 3, dtype=floats),
            "atom.prior_coords": wide("atom", 1, 3, dtype=floats),
            "atom.apo_mask": wide("atom", 1, dtype=flags),
            "bond.asym_id": wide("bond", 2),
            "bond.token_index": wide("bond", 2),
            "bond.atom_index": wide("bond", 2),
            "bond.is_ligand_ligand": wide("bond", dtype=flags),
            "bond.is_polymer_ligand": wide("bond", dtype=flags),
            "sequence.bb_struct_token_id": wide("sequence", 1),
            "sequence.fa_struct_token_id": wide("sequence", 1),
            "sequence.mlm_mask": wide("sequence", dtype=flags),
            "token.pad_mask": real.to(flags),
            "atom.pad_mask": atom_real.to(flags),
            "token.asym_id": chain.int(),
            "token.entity_id": chain.int(),
            "token.sym_id": torch.ones(n, dtype=torch.int32),
            "token.token_index": token.int(),
            "token.residue_index": token.int(),
            "atom.token_index": torch.where(atom_real, atom_token, 0).int(),
            "atom.ref_space_uid": atom_token.int(),
            "atom.ref_element": torch.randint(1, 20, (atoms,), dtype=torch.int32),
            "atom.ref_atom_name_chars": torch.randint(0, 64, (atoms, 4), dtype=torch.int32),
            "atom.ref_pos": 2 * torch.randn(atoms, 3),
            "atom.ref_charge": torch.randn(atoms),
            "s_inputs": torch.randn(1, n, config["channel_s"]),
            "z": torch.randn(1, n, n, config["channel_z"]),
            "r_noisy": torch.randn(samples, atoms, 6),
            "c_noise": torch.tensor([-0.3]),
        }
        return tensors

    prepared = None

    @classmethod
    def run(cls, module, inputs):
        import torch
        from torch.nn.functional import one_hot
        from types import SimpleNamespace

        if cls.prepared is None:
            layout = lambda name: {
                key.split(".")[1]: value[None].long() if value.dtype == torch.int32 else value[None]
                for key, value in inputs.items()
                if key.startswith(name + ".")
            }
            token, atom = SimpleNamespace(**layout("token")), SimpleNamespace(**layout("atom"))
            token.pad_mask, atom.pad_mask = token.pad_mask.bool(), atom.pad_mask.bool()
            atom.ref_element = one_hot(atom.ref_element, 128).float()
            atom.ref_atom_name_chars = one_hot(atom.ref_atom_name_chars, 64).float()
            features = SimpleNamespace(
                token=token, atom=atom, num_atoms=atom.pad_mask.shape[1], device=inputs["z"].device, is_batched=True
            )
            z = module.get_pair_conditioning(features, inputs["z"])
            cls.prepared = (features, *module.get_atom_embeddings(features, z), module.get_pair_bias(z))
        features, q, c, p, pair_bias = cls.prepared
        s = module.get_single_conditioning(inputs["s_inputs"], inputs["c_noise"][None])
        out = module.step(
            inputs["r_noisy"][None],
            q,
            c,
            p,
            features.atom.token_index,
            features.atom.pad_mask,
            s,
            pair_bias,
            features.token.pad_mask,
        )
        return dict(out=out[0])


CASES = {
    "trunk": Trunk,
    "atlaslm": AtlasLm,
    "atlaslm_streamed": AtlasLmStreamed,
    "bb_tokenizer": BackboneTokenizer,
    "fa_tokenizer": FullAtomTokenizer,
    "score": Score,
}


def make(case, config, folder):
    """Writes configuration, random weights and inputs."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(1)
    with torch.no_grad():
        module = case.module(config)
        random_weights(module)
    (folder / "config.json").write_text(json.dumps(config))
    save_file({name: tensor.contiguous() for name, tensor in module.state_dict().items()}, folder / "weights.safetensors")
    save_file(case.inputs(config), folder / "inputs.safetensors")


def memory(key):
    """A line of the process's memory accounts, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return 0


def prepare(name, folder, device):
    """The reference's half of a case on a device: what computes it once."""
    import torch
    from safetensors.torch import load_file

    case, config = CASES[name], json.loads((folder / "config.json").read_text())
    is_card = device != "cpu"
    module = case.module(config).eval()
    module.load_state_dict(load_file(folder / "weights.safetensors"))
    if is_card and name == "atlaslm":
        # As the reference opens it for a card.
        module = module.bfloat16()
    module = module.to(device)
    inputs = {key: tensor.to(device) for key, tensor in load_file(folder / "inputs.safetensors").items()}

    def once():
        with torch.autocast(device.split(":")[0], dtype=torch.bfloat16, enabled=is_card and case.autocast):
            result = case.run(module, inputs)
        if is_card:
            torch.cuda.synchronize()
        return result

    return once


def worker(name, folder, device):
    """The reference's half: the same commands and answers as networks_benchmark."""
    import torch
    from safetensors.torch import save_file

    torch.set_grad_enabled(False)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.set_float32_matmul_precision("highest")
    if device != "cpu" and not torch.cuda.is_available():
        sys.exit("this PyTorch sees no NVIDIA card")
    once = prepare(name, folder, device)
    print(json.dumps({"ready": True}), flush=True)
    result = {}
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "run":
            result = None
            Path("/proc/self/clear_refs").write_text("5")
            before = memory("VmRSS:")
            start, spent = time.perf_counter(), time.process_time()
            result = once()
            answer = {
                "seconds": time.perf_counter() - start,
                "cpu_seconds": time.process_time() - spent,
                "before_bytes": before,
                "peak_bytes": memory("VmHWM:"),
            }
        else:
            save_file({name: tensor.float().cpu().contiguous() for name, tensor in result.items()}, argument)
            answer = {"saved": argument}
        print(json.dumps(answer), flush=True)


class HalfEnded(Exception):
    """A half that ended before it answered; why stands on standard error."""


class Half:
    """A process that computes when told."""

    def __init__(self, arguments, threads):
        variables = dict(os.environ, RAYON_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="passive")
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables
        )
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise HalfEnded(f"{self.process.args[0]} ended with code {self.process.wait()}")
        return json.loads(line)

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def difference(ours, theirs):
    """Largest difference over largest magnitude, of all results."""
    from safetensors.torch import load_file

    ours, theirs = load_file(ours), load_file(theirs)
    return max(((ours[name] - theirs[name]).abs().max() / theirs[name].abs().max()).item() for name in theirs)


def compare(name, config, repeats, threads):
    """Runs one case of both halves, taking turns, and gives a line of the table."""
    case = CASES[name]
    program = REPOSITORY / "target" / "release" / "examples" / "networks_benchmark"
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make(case, config, folder)
        ours = Half([str(program), name, str(folder)], threads)
        theirs = Half([sys.executable, __file__, "--worker", name, str(folder), "cpu"], threads)
        # The first run of each is for warming up.
        ours.tell("run"), theirs.tell("run")
        turns = [(ours.tell("run"), theirs.tell("run")) for _ in range(repeats)]
        ours.tell(f"save {folder}/ours"), theirs.tell(f"save {folder}/theirs")
        error = difference(folder / "ours", folder / "theirs")
        ours.close(), theirs.close()
    median = lambda key: [statistics.median(turn[half][key] for turn in turns) for half in (0, 1)]
    most = lambda value: [max(value(turn[half]) for turn in turns) / 2**20 for half in (0, 1)]
    seconds, cpu = median("seconds"), median("cpu_seconds")
    stage, whole = most(lambda run: run["peak_bytes"] - run["before_bytes"]), most(lambda run: run["peak_bytes"])
    cells = [case.title(config)]
    for pair, unit in ((seconds, 1e3), (cpu, 1e3), (stage, 1), (whole, 1)):
        cells.append(f"{pair[0] * unit:.0f} / {pair[1] * unit:.0f} | {pair[0] / max(pair[1], 1e-9):.2f}")
    return "| " + " | ".join([*cells, f"{error:.1e}"]) + " |"


def card_memory(process):
    """MiB that a process holds on the card; nothing where nvidia-smi does not say."""
    try:
        command = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        held = [line.split(",")[1].strip() for line in lines if line.split(",")[0].strip() == str(process.pid)]
        return held[0] if held else "?"
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "?"


# Runs before timing on a card: the driver compiles our kernels, Triton its own and chooses among them.
CARD_WARM_UP = 3


def compare_on_card(name, config, repeats, threads, device, backends):
    """A line of the card's table. The reference takes the first of its paths that runs."""
    program = REPOSITORY / "target" / "release" / "examples" / "networks_benchmark"
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        make(CASES[name], config, folder)
        ours = Half([str(program), name, str(folder), device, "bf16"], threads)
        reasons = []
        for backend in backends:
            (folder / "config.json").write_text(json.dumps(dict(config, backend=backend)))
            try:
                theirs = Half([sys.executable, __file__, "--worker", name, str(folder), device], threads)
                for _ in range(CARD_WARM_UP):
                    theirs.tell("run")
                break
            except HalfEnded as error:
                reasons.append(f"{backend}: {error}")
        else:
            sys.exit(f"the reference runs on none of its paths; {'; '.join(reasons)}")
        for reason in reasons:
            print(f"{CASES[name].title(config)}: the reference did not run by its path {reason}", file=sys.stderr)
        for _ in range(CARD_WARM_UP):
            ours.tell("run")
        turns = [(ours.tell("run")["seconds"], theirs.tell("run")["seconds"]) for _ in range(repeats)]
        held = [card_memory(half.process) for half in (ours, theirs)]
        ours.tell(f"save {folder}/ours"), theirs.tell(f"save {folder}/theirs")
        error = difference(folder / "ours", folder / "theirs")
        ours.close(), theirs.close()
    own, other = (statistics.median(turn[half] for turn in turns) for half in (0, 1))
    ratio = own / other
    path = backend if name != "atlaslm" else "SDPA"
    reached = "yes" if ratio <= GOAL else "no"
    return (
        f"| {CASES[name].title(config)} | {own * 1e3:.2f} | {other * 1e3:.2f} | {path} | {ratio:.2f} | {reached} | "
        f"{held[0]} / {held[1]} | {error:.1e} |"
    )


# Our time over the reference's that is aimed at on a card.
GOAL = 0.7
CARD_CASES = ["trunk", "score", "atlaslm"]
CARD_HEADER = f"""| | ours, ms | reference, ms | its path | ratio | at most {GOAL} | MiB on the card, ours / reference | difference |
|---|---|---|---|---|---|---|---|"""


def card_table(arguments):
    """Trunk, sampler and language model beside the reference on a card, or as a rehearsal on the processor."""
    program = REPOSITORY / "target" / "release" / "examples" / "networks_benchmark"
    if not program.exists():
        sys.exit(f"{program} is not there; packaging/cuda.sh benchmark builds it")
    device = "cpu" if arguments.rehearse else arguments.device
    if arguments.rehearse:
        print("A rehearsal on the processor: the times mean nothing.", file=sys.stderr)
        backends = ["torch"]
    else:
        import torch

        if not torch.cuda.is_available():
            sys.exit("this PyTorch sees no NVIDIA card; the table needs one (--rehearse tries the script without)")
        print(f"Card: {torch.cuda.get_device_name(device)}; PyTorch {torch.__version__}")
        backends = ["triton", "cuequiv", "torch"]
    lines = [CARD_HEADER]
    print(CARD_HEADER)
    for name in arguments.case or CARD_CASES:
        if name not in CARD_CASES:
            sys.exit(f"there is no case {name} for a card; there are {', '.join(CARD_CASES)}")
        for config in CASES[name].card_sizes(arguments.tokens):
            # The language model has no kernels of the reference's own.
            paths = backends if name != "atlaslm" else backends[-1:]
            lines.append(compare_on_card(name, config, arguments.repeats, arguments.threads, device, paths))
            print(lines[-1], flush=True)
    return lines


HEADER = """| | ms | ratio | CPU ms | ratio | MiB computing | ratio | MiB in all | ratio | difference |
|---|---|---|---|---|---|---|---|---|---|"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="*", choices=list(CASES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--output", type=Path)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--tokens", type=int, nargs="+", default=[256, 512, 1024], help="sizes on a card")
    parser.add_argument("--rehearse", action="store_true", help="what is done on a card, on the processor")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    environment()
    if arguments.worker:
        name, folder, device = arguments.worker
        return worker(name, Path(folder), device)
    try:
        lines = card_table(arguments) if arguments.rehearse or arguments.device != "cpu" else processor_table(arguments)
    except HalfEnded as error:
        sys.exit(str(error))
    if arguments.output:
        arguments.output.write_text("\n".join(lines) + "\n")


def processor_table(arguments):
    """All cases, or those asked for, on the processor."""
    lines = [HEADER]
    print(HEADER)
    for name in arguments.case or CASES:
        for config in CASES[name].sizes:
            lines.append(compare(name, config, arguments.repeats, arguments.threads))
            print(lines[-1], flush=True)
    return lines


if __name__ == "__main__":
    main()
