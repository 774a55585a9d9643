#!/usr/bin/env node
// Draws the same atoms with K-Fold Studio and with Mol* in headless Chromium, both by the processor, in turns.
//
//     cargo build --release --workspace --bins && node tests/benchmark/molstar.mjs
//
// The scene: samples/nuclear-receptor/receptor.pdb repeated on a grid until there are ATOMS atoms, as one mmCIF file that both
// read, every atom a sphere of its van der Waals radius, coloured by element, 1280x800. The camera's path is that of
// `kfold-studio bench render`, which tells each frame's camera; Mol* is given the same eye, target and angle. A frame counts
// when its picture is there: Mol* draws synchronously and a pixel is read back, ours waits for the device. Two ways: "plain" is
// spheres alone, "full" adds ambient occlusion and outlines. Both smooth edges (Mol*: SMAA). Times on the clock are of frames alone;
// processor seconds are of all processes of the browser, and of all of ours, while the frames are drawn.
//
// Mol* and playwright-core are installed from npm into FOLDER, Chromium by apt where it is missing. Mol* draws with WebGL 2 on
// SwiftShader, as Chromium does on a machine without a card, or with `--angle gl-egl` on Mesa's llvmpipe; ours with Vulkan on llvmpipe.
//
// Options: --atoms N (100000), --frames N (12), --rounds N (3), --folder FOLDER (a temporary one), --studio PATH,
// --angle swiftshader|gl-egl (swiftshader), --pictures (keeps one of Mol*'s each)

import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const option = (name, otherwise) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? otherwise : process.argv[at + 1];
};
const atoms = Number(option('atoms', 100000));
const frames = Number(option('frames', 12));
const rounds = Number(option('rounds', 3));
const folder = path.resolve(option('folder', path.join(os.tmpdir(), 'kfold-studio-molstar')));
const studio = path.resolve(option('studio', path.join(root, 'target/release/kfold-studio')));
const angle = option('angle', 'swiftshader');
const keepPictures = process.argv.includes('--pictures');
const [width, height] = [1280, 800];

function install() {
    fs.mkdirSync(folder, { recursive: true });
    if (!fs.existsSync('/usr/bin/chromium')) {
        execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], { stdio: 'ignore' });
    }
    if (!fs.existsSync(path.join(folder, 'node_modules/molstar')) || !fs.existsSync(path.join(folder, 'node_modules/playwright-core'))) {
        fs.writeFileSync(path.join(folder, 'package.json'), '{"private": true}\n');
        execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', 'molstar', 'playwright-core'], {
            cwd: folder, stdio: 'ignore',
        });
    }
}

// The sample's atoms on a grid, as mmCIF.
function writeScene(file) {
    const lines = fs.readFileSync(path.join(root, 'samples/nuclear-receptor/receptor.pdb'), 'latin1').split('\n');
    const own = lines.filter(line => /^(ATOM  |HETATM)/.test(line)).map(line => ({
        name: line.slice(12, 16).trim(), residue: line.slice(17, 20).trim(), chain: line[21].trim() || 'A',
        number: Number(line.slice(22, 26)), element: line.slice(76, 78).trim() || line.slice(12, 16).trim()[0],
        place: [30, 38, 46].map(at => Number(line.slice(at, at + 8))),
    }));
    const [low, high] = [Math.min, Math.max].map(of => [0, 1, 2].map(axis => own.reduce((held, atom) => of(held, atom.place[axis]), own[0].place[axis])));
    const copies = Math.ceil(atoms / own.length);
    const side = Math.ceil(Math.cbrt(copies));
    const items = ['group_PDB', 'id', 'type_symbol', 'label_atom_id', 'label_alt_id', 'label_comp_id', 'label_asym_id', 'label_entity_id',
        'label_seq_id', 'Cartn_x', 'Cartn_y', 'Cartn_z', 'occupancy', 'B_iso_or_equiv', 'auth_seq_id', 'auth_asym_id', 'pdbx_PDB_model_num'];
    const out = ['data_SCENE', 'loop_', ...items.map(item => `_atom_site.${item}`)];
    let id = 0;
    for (let copy = 0; copy < copies; copy++) {
        const cell = [copy % side, Math.floor(copy / side) % side, Math.floor(copy / side / side)];
        const shift = cell.map((step, axis) => step * (high[axis] - low[axis] + 2));
        for (const atom of own) {
            const [x, y, z] = atom.place.map((value, axis) => (value + shift[axis]).toFixed(3));
            const name = /['"]/.test(atom.name) ? `"${atom.name}"` : atom.name;
            const chain = `${atom.chain}${copy}`;
            out.push(`ATOM ${++id} ${atom.element} ${name} . ${atom.residue} ${chain} 1 ${atom.number} ${x} ${y} ${z} 1.00 20.00 ${atom.number} ${chain} 1`);
        }
    }
    fs.writeFileSync(file, out.join('\n') + '\n#\n');
    return id;
}

// Processor seconds of a process and of all its descendants that are there.
function processorSeconds(pid) {
    const rows = fs.readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(name => {
        try {
            const text = fs.readFileSync(`/proc/${name}/stat`, 'latin1');
            const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
            return [{ pid: Number(name), parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / 100 }];
        } catch {
            return [];
        }
    });
    const own = new Set([pid]);
    for (let before = 0; before !== own.size;) {
        before = own.size;
        for (const row of rows) if (own.has(row.parent)) own.add(row.pid);
    }
    return rows.filter(row => own.has(row.pid)).reduce((sum, row) => sum + row.seconds, 0);
}

const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function drawOurs(file, way) {
    const args = ['bench', 'render', file, '--size', `${width}x${height}`, '--frames', String(frames), '--atoms', '0', '--copied-atoms', '0',
        '--only', 'file, spheres', '--json', ...(way === 'plain' ? ['--plain'] : [])];
    const report = JSON.parse(execFileSync(studio, args, { stdio: ['ignore', 'pipe', 'ignore'] }));
    const [scene] = report.scenes;
    return { adapter: report.adapter, scene, frame: scene.p50_ms, processor: scene.processor_ms };
}

async function openMolstar(chromium, file) {
    const server = await chromium.launchServer({
        executablePath: '/usr/bin/chromium', headless: true,
        args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
            '--use-gl=angle', `--use-angle=${angle}`, '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
    });
    const browser = await chromium.connect(server.wsEndpoint());
    const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: 1 });
    await page.setContent(`<body style="margin:0"><div id="app" style="position:absolute;width:${width}px;height:${height}px"></div></body>`);
    await page.addScriptTag({ path: path.join(folder, 'node_modules/molstar/build/viewer/molstar.js') });
    const opened = await page.evaluate(async text => {
        const viewer = await molstar.Viewer.create('app', {
            layoutShowControls: false, layoutShowSequence: false, layoutShowLog: false, layoutShowLeftPanel: false,
            viewportShowExpand: false, viewportShowControls: false, viewportShowSettings: false, viewportShowSelectionMode: false,
            viewportShowAnimation: false, viewportShowTrajectoryControls: false, viewportShowScreenshotControls: false, pixelScale: 1,
        });
        const { plugin } = viewer;
        window.plugin = plugin;
        const before = performance.now();
        const data = await plugin.builders.data.rawData({ data: text });
        const trajectory = await plugin.builders.structure.parseTrajectory(data, 'mmcif');
        const model = await plugin.builders.structure.createModel(trajectory);
        const structure = await plugin.builders.structure.createStructure(model);
        const all = await plugin.builders.structure.tryCreateComponentStatic(structure, 'all');
        await plugin.builders.structure.representation.addRepresentation(all, { type: 'spacefill', color: 'element-symbol' });
        const { gl } = plugin.canvas3d.webgl;
        const info = gl.getExtension('WEBGL_debug_renderer_info');
        return {
            atoms: structure.cell.obj.data.elementCount, seconds: (performance.now() - before) / 1000,
            adapter: gl.getParameter(info.UNMASKED_RENDERER_WEBGL), size: [gl.drawingBufferWidth, gl.drawingBufferHeight],
        };
    }, fs.readFileSync(file, 'latin1'));
    return { server, browser, page, opened };
}

async function drawMolstar(held, way, cameras) {
    await held.page.evaluate(({ way }) => {
        const { canvas3d } = plugin;
        const { postprocessing } = canvas3d.props;
        const on = way === 'full';
        // The parameters that come with switching it on in the program's own panel.
        const defaults = {
            occlusion: { samples: 32, multiScale: { name: 'off', params: {} }, radius: 5, bias: 0.8, blurKernelSize: 15, blurDepthBias: 0.5, resolutionScale: 1, color: 0x000000, transparentThreshold: 0.4 },
            outline: { scale: 1, threshold: 0.33, color: 0x000000, includeTransparent: true },
        };
        const effect = name => on ? { name: 'on', params: defaults[name] } : { name: 'off', params: {} };
        canvas3d.setProps({
            multiSample: { ...canvas3d.props.multiSample, mode: 'off' },
            camera: { ...canvas3d.props.camera, helper: { axes: { name: 'off', params: {} } } },
            cameraFog: { name: 'on', params: { intensity: 15 } },
            postprocessing: { ...postprocessing, occlusion: effect('occlusion'), outline: effect('outline'), shadow: { name: 'off', params: {} } },
        });
        canvas3d.pause();
    }, { way });
    const pid = held.server.process().pid;
    const draw = cameras => held.page.evaluate(cameras => {
        const { canvas3d } = plugin;
        const { gl } = canvas3d.webgl;
        const pixel = new Uint8Array(4);
        return cameras.map(camera => {
            const distance = Math.hypot(...camera.eye.map((value, axis) => value - camera.center[axis]));
            const before = performance.now();
            canvas3d.camera.setState({
                mode: 'perspective', fov: camera.vertical_fov * Math.PI / 180, position: camera.eye, up: camera.up, target: camera.center,
                radius: 2 * distance, radiusMax: 10 * distance, minNear: 1,
            }, 0);
            canvas3d.tick(performance.now(), { isSynchronous: true });
            gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
            return performance.now() - before;
        });
    }, cameras);
    await draw(cameras.slice(0, 2));
    const before = processorSeconds(pid);
    const times = await draw(cameras);
    return { frame: median(times), processor: (processorSeconds(pid) - before) * 1000 / cameras.length };
}

install();
const { chromium } = createRequire(pathToFileURL(path.join(folder, 'package.json')))('playwright-core');
const file = path.join(folder, 'scene.cif');
const count = writeScene(file);
const version = JSON.parse(fs.readFileSync(path.join(folder, 'node_modules/molstar/package.json'))).version;
const held = await openMolstar(chromium, file);
const results = { plain: { ours: [], molstar: [] }, full: { ours: [], molstar: [] } };
let adapter = '';
for (let round = 0; round < rounds; round++) {
    for (const way of ['plain', 'full']) {
        const ours = drawOurs(file, way);
        adapter = ours.adapter;
        results[way].ours.push(ours);
        results[way].molstar.push(await drawMolstar(held, way, ours.scene.cameras));
        if (keepPictures && round === 0) {
            await held.page.screenshot({ path: path.join(folder, `molstar-${way}.png`) });
        }
    }
}
await held.browser.close();
await held.server.close();
console.log(`${count} atoms (Mol* sees ${held.opened.atoms}), ${width}x${height} (Mol* draws ${held.opened.size.join('x')}), ${frames} frames, ${rounds} rounds in turns`);
console.log(`ours: ${adapter}`);
console.log(`Mol* ${version}, Chromium ${held.browser.version()}: ${held.opened.adapter}`);
console.log('| picture | ours, ms | Mol*, ms | ours, processor ms | Mol*, processor ms | Mol* / ours, clock | processor |');
console.log('|---|---|---|---|---|---|---|');
for (const [way, { ours, molstar }] of Object.entries(results)) {
    const of = (list, key) => median(list.map(entry => entry[key]));
    const row = ['frame', 'processor'].flatMap(key => [of(ours, key), of(molstar, key)]);
    console.log(`| ${way} | ${row.map(value => value.toFixed(0)).join(' | ')} | ${(row[1] / row[0]).toFixed(2)} | ${(row[3] / row[2]).toFixed(2)} |`);
}
