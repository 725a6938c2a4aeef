/** The textbook examples, as `upsampling explain` prints them. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export async function section() {
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  return {
    id: 'textbook',
    title: 'The textbook examples, worked out',
    text: 'What <code>upsampling explain</code> prints; every number comes from the reference implementation.',
    pre: execFileSync(process.execPath, [main, 'explain'], { encoding: 'utf8' }),
  };
}
