import type { Machine } from '../peers/machine.ts';
import type { BuildFigures } from './build-child.ts';
import { type ComponentFigures, type PythonFigures, RESOLUTIONS, SETTINGS } from './measure.ts';

/** All that was measured. */
export interface SubmitFigures {
  images: number;
  ours: BuildFigures;
  python: PythonFigures;
  components: ComponentFigures;
  /** The mean Dice of their masks against ours, and how many codes are the same. */
  agreement: { dice: number; same: number };
}

/** Seconds and bytes for all of stage 2's 3,205 images on two cores, and OpenCV's time for components. */
const GOAL = { seconds: 60, bytes: 2e9 };
const STAGE_2 = 3205;
/** From this load on a machine is not the bench's alone. */
const BUSY = 0.5;

export interface Goals {
  seconds: boolean;
  memory: boolean;
  components: boolean;
}

/** Which goals are reached; a part of stage 2's images gets a part of its time. */
export function goalsOf({ images, ours, python, components }: SubmitFigures): Goals {
  return {
    seconds: ours.seconds < GOAL.seconds * (images / STAGE_2),
    memory: ours.peak_rss_bytes < GOAL.bytes,
    components: perMask(components) <= perMask(python.components),
  };
}

/** Milliseconds for a mask. */
function perMask({ seconds, masks }: ComponentFigures): number {
  return (1000 * seconds) / masks;
}

/** The report in Markdown. */
export function submitReport(
  head: { command: string; date: string; machine: Machine; load: number; processes: number },
  figures: SubmitFigures,
): string {
  const { images, ours, python, components, agreement } = figures;
  const goals = goalsOf(figures);
  const reached = (goal: boolean) => (goal ? 'reached' : 'missed');
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  const row = (title: string, seconds: number, bytes: number) =>
    `| ${title} | ${seconds.toFixed(1)} | ${((1000 * seconds) / images).toFixed(1)} | ${megabytes(bytes)} |`;
  const { machine } = head;
  return `# From stored probabilities to a submission

\`${head.command}\`

${images} synthetic images (${ours.positives} get a mask), the stored probabilities of two members at ${RESOLUTIONS.join('² and ')}², flip TTA
in them: read, brought to 1024², averaged, threshold ${SETTINGS.threshold}, components over ${SETTINGS.area} pixels, encoded, written, and here also
read back, checked and packed with a manifest. Beyond the network's own time, that is all of \`npm run submit\`. Both sides read the same files, with ${head.processes}
${head.processes === 1 ? 'thread or process' : 'threads or processes'}.

| | seconds | ms an image | peak memory, MB |
| --- | --- | --- | --- |
${row('the harness, the whole process', ours.seconds, ours.peak_rss_bytes)}
${row('numpy and OpenCV, its largest process', python.seconds, python.peak_rss_bytes)}

- under ${GOAL.seconds} s for ${STAGE_2} images${images === STAGE_2 ? '' : ' (here a part of that)'}: ${reached(goals.seconds)}; under ${GOAL.bytes / 1e9} GB: ${reached(goals.memory)}
- ${agreement.same} of ${images} codes are the same; Dice of the masks of both sides against one another: ${agreement.dice.toFixed(6)} (OpenCV
  resizes in 32 bits, which moves pixels at the threshold)

Components alone, of the ${components.masks} masks of the competition's real label file, one thread:

| | ms a mask | components |
| --- | --- | --- |
| the harness | ${perMask(components).toFixed(2)} | ${components.components} |
| OpenCV, \`connectedComponentsWithStats\` | ${perMask(python.components).toFixed(2)} | ${python.components.components} |

At most OpenCV's time: ${reached(goals.components)}.

- ${head.date}: ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}; load at the start ${head.load.toFixed(1)}${
    head.load < BUSY ? '' : ': other work ran beside, so times are longer than alone and their ratios rough'
  }
- node ${process.versions.node}, numpy ${python.versions.numpy}, OpenCV ${python.versions.opencv}
`;
}
