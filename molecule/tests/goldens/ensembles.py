"""Statistics of ensembles by MDAnalysis, numpy and scipy, for `tests/ensembles.rs`.

Run: pip install MDAnalysis scipy gemmi, then `python ensembles.py > ensembles.json` in this folder.
Made with MDAnalysis 2.11, numpy 2.4, scipy 1.17.
"""

import json
import pathlib

import gemmi
import MDAnalysis
import numpy
from MDAnalysis.analysis import align, pca, rms
from MDAnalysis.coordinates.memory import MemoryReader
from scipy.cluster.hierarchy import fcluster, linkage

ROOT = pathlib.Path(__file__).resolve().parents[3]


def models(path, names):
    """Atoms of these names of every model, in order."""
    found = []
    for model in gemmi.read_structure(str(ROOT / path)):
        atoms = [atom for chain in model for residue in chain for atom in residue if atom.name in names]
        found.append([atom.pos.tolist() for atom in atoms])
    return numpy.array(found, dtype=numpy.float32)


def between_states():
    """Conformers between two states of adenylate kinase, every fourth residue, with noise: 40 of 54 points."""
    rng = numpy.random.default_rng(11)
    first, last = [models(f"samples/adenylate-kinase/{name}.pdb", {"CA"})[0][::4] for name in ("open", "closed")]
    rotation, _ = align.rotation_matrix(last - last.mean(0), first - first.mean(0))
    last = (last - last.mean(0)) @ rotation.T + first.mean(0)
    # Three groups along the way.
    steps = numpy.concatenate([rng.normal(centre, 0.05, count) for centre, count in ((0.0, 18), (0.5, 12), (1.0, 10))])
    frames = [first + step * (last - first) + rng.normal(0, 0.4, first.shape) for step in rng.permutation(steps)]
    return numpy.round(numpy.array(frames), 2).astype(numpy.float32)


def universe(frames):
    made = MDAnalysis.Universe.empty(frames.shape[1], trajectory=True)
    made.add_TopologyAttr("types", ["C"] * frames.shape[1])
    made.add_TopologyAttr("masses", [12.0] * frames.shape[1])
    made.load_new(frames, format=MemoryReader, order="fac")
    return made


def on_mean(frames):
    """Superposed on the mean until it stands still; the first conformer's place first."""
    mean = frames[0].astype(float)
    moved = frames.astype(float)
    for _ in range(200):
        centre = mean.mean(0)
        for index, frame in enumerate(frames.astype(float)):
            own = frame.mean(0)
            rotation, _ = align.rotation_matrix(frame - own, mean - centre)
            moved[index] = (frame - own) @ rotation.T + centre
        next_mean = moved.mean(0)
        shift = numpy.sqrt(((next_mean - mean) ** 2).sum(1).mean())
        mean = next_mean
        if shift < 1e-7:
            break
    return moved


def statistics(frames):
    count = len(frames)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    superposed = [rms.rmsd(frames[i], frames[j], center=True, superposition=True) for i, j in pairs]
    moved = on_mean(frames)
    aligned = universe(moved.astype(numpy.float32))
    fluctuation = rms.RMSF(aligned.atoms).run().results.rmsf
    components = pca.PCA(aligned, select="all", align=False).run()
    wanted = min(3, count - 1)
    projections = components.transform(aligned.atoms, n_components=wanted)
    variances = components.results.variance
    result = {
        "rmsd": [round(float(rms.rmsd(frames[i], frames[j])), 5) for i, j in pairs],
        "superposed_rmsd": [round(float(value), 5) for value in superposed],
        "rmsf": [round(float(value), 5) for value in fluctuation],
        "variances": [round(float(value), 5) for value in variances[:wanted]],
        "total_variance": round(float(numpy.sum(variances)), 5),
        "projections": [[round(float(value), 4) for value in row] for row in projections],
    }
    for method in ("average", "complete"):
        tree = linkage(numpy.array(superposed), method)
        labels = fcluster(tree, 1.5, "distance")
        result[method] = {
            "heights": [round(float(height), 5) for height in sorted(tree[:, 2])],
            "clusters": sorted(sorted(int(i) for i in numpy.flatnonzero(labels == label)) for label in set(labels)),
        }
    return result


def main():
    made = between_states()
    result = {
        "nmr peptide": {
            "file": "molecule/tests/data/1as5-three-models.cif",
            "atoms": ["N", "CA", "C"],
            **statistics(models("molecule/tests/data/1as5-three-models.cif", {"N", "CA", "C"})),
        },
        "nmr protein and dna": {
            "file": "samples/dna-complex/complex.pdb",
            "atoms": ["CA", "P"],
            **statistics(models("samples/dna-complex/complex.pdb", {"CA", "P"})),
        },
        "between two states": {
            "conformers": [[round(float(value), 2) for value in frame.ravel()] for frame in made],
            **statistics(made),
        },
    }
    print(json.dumps(result))


main()
