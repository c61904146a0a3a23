// Drives third-party wallet software through the devnet that a devnet.json describes.
// usage: node lane.mjs path/to/devnet.json
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const world = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const here = import.meta.dirname;

/** Calls a service's admin API as its operator would. */
async function admin(service, route, body) {
  const token = fs.readFileSync(service.admin_token_file, 'utf8').trim();
  const answer = await fetch(`${service.url}/admin/${route}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${service.url}/admin/${route}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Runs a script with Node; its output is ours. */
function run(script, ...args) {
  const ended = spawnSync(process.execPath, [path.join(here, script), ...args], { cwd: here, stdio: ['ignore', 'pipe', 'inherit'], timeout: 300_000 });
  process.stdout.write(ended.stdout);
  if (ended.status !== 0) throw new Error(`${script} ended with status ${ended.status}`);
  return ended.stdout.toString();
}

async function receive(issuer, configuration, file) {
  const [subject] = await admin(issuer, `subjects?credential_configuration_id=${configuration}`);
  const id = typeof subject === 'string' ? subject : subject.id;
  const offer = await admin(issuer, 'offers', { subject: id, credential_configuration_id: configuration });
  const said = run('wallet-preauth.mjs', offer.offer_uri, offer.tx_code, file);
  if (!said.includes('WALLET-PREAUTH OK')) throw new Error('the third-party wallet did not finish');
}

/** The credential configuration that an issuer is known for, from its public metadata: verifiers ask for identities. */
async function configurationOf(issuer) {
  const { origin, pathname } = new URL(issuer.url);
  const metadata = await (await fetch(`${origin}/.well-known/openid-credential-issuer${pathname.replace(/\/$/, '')}`)).json();
  const offered = Object.keys(metadata.credential_configurations_supported);
  return offered.find((name) => name === 'resident-identity') ?? offered[0];
}

if (fs.existsSync(path.join(here, 'wallet-preauth.mjs'))) {
  for (const [index, issuer] of world.issuers.entries()) {
    await receive(issuer, await configurationOf(issuer), path.join(here, `wallet-${index}.json`));
  }
}
run('issue.mjs', process.argv[2]);
if (fs.existsSync(path.join(here, 'wallet-0.json'))) run('present.mjs', process.argv[2]);
else console.log('SKIPPED presenting: it takes the credential that the third-party wallet received');
console.log('NODE LANE OK');
