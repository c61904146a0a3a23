// Asks for credentials with third-party software (@openid4vc/openid4vci, @sd-jwt, jose), honestly and then dishonestly.
// Every credential type of every issuer is received once, and suspended, reinstated and revoked; then each dishonest way must end with its exact error and
// code, and whatever was refused must have cost the honest holder nothing.
// usage: node issue.mjs path/to/devnet.json
import { Openid4vciClient, setGlobalConfig } from '@openid4vc/openid4vci';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';
import { digest, generateSalt } from '@sd-jwt/crypto-nodejs';
import { getListFromStatusListJWT } from '@sd-jwt/jwt-status-list';
import * as jose from 'jose';
import crypto from 'node:crypto';
import fs from 'node:fs';

setGlobalConfig({ allowInsecureUrls: process.env.ALLOW_HTTP === '1' });
const world = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const now = () => Math.floor(Date.now() / 1000);
const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
/** Seconds a nonce of a devnet holds. */
const NONCE_SECONDS = 15;
const GRANT = 'urn:ietf:params:oauth:grant-type:pre-authorized_code';

// ---- The services, as their operator and as the public see them ----

async function admin(service, route, body) {
  const token = fs.readFileSync(service.admin_token_file, 'utf8').trim();
  const answer = await fetch(`${service.url}/admin/${route}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok && answer.status !== 409) throw new Error(`/admin/${route}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** The first subject of a type, and a fresh offer to it. */
async function offerOf(issuer, configuration, more = {}) {
  const [subject] = await admin(issuer, `subjects?credential_configuration_id=${configuration}&limit=1`);
  return { subject, ...await admin(issuer, 'offers', { subject, credential_configuration_id: configuration, ...more }) };
}

async function issuerKey(iss, { kid, alg }) {
  const { origin, pathname } = new URL(iss);
  const metadata = await (await fetch(`${origin}/.well-known/jwt-vc-issuer${pathname.replace(/\/$/, '')}`)).json();
  if (metadata.issuer !== iss) throw new Error('jwt-vc-issuer names another issuer');
  return jose.importJWK(metadata.jwks.keys.find((key) => key.kid === kid), alg);
}

// ---- The third-party wallet ----

const makeKey = async (alg = 'ES256') => {
  const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  return { alg, privateKey, jwk: await jose.exportJWK(publicKey), secret: await jose.exportJWK(privateKey) };
};
const holder = await makeKey();
const other = await makeKey();
const callbacks = {
  fetch,
  hash: (data, alg) => crypto.createHash(alg.replace('-', '')).update(data).digest(),
  generateRandom: (n) => crypto.randomBytes(n),
  clientAuthentication: () => {},
  verifyJwt: async () => ({ verified: false }),
  decryptJwe: async () => { throw new Error('nothing here is encrypted') },
  encryptJwe: async () => { throw new Error('nothing here is encrypted') },
  signJwt: async (signer, { header, payload }) => ({
    jwt: await new jose.SignJWT(payload).setProtectedHeader({ ...header, jwk: signer.publicJwk }).sign(holder.privateKey),
    signerJwk: holder.jwk,
  }),
};
const client = new Openid4vciClient({ callbacks });
const sdjwt = new SDJwtVcInstance({ hasher: digest, hashAlg: 'sha-256', saltGenerator: generateSalt });

/** The state of a credential by its issuer's list, as others read it. */
async function statusOf(claims) {
  const { uri, idx } = claims.status.status_list;
  const token = await (await fetch(uri, { headers: { accept: 'application/statuslist+jwt' } })).text();
  const header = jose.decodeProtectedHeader(token);
  const { payload } = await jose.jwtVerify(token, await issuerKey(claims.iss, header), { typ: 'statuslist+jwt' });
  if (payload.sub !== uri) throw new Error('the status list is for another address');
  return getListFromStatusListJWT(token).getStatus(idx);
}

/** Receives one credential as a wallet does, and reads it with software that is not ours. */
async function receive(issuer, configuration) {
  const made = await offerOf(issuer, configuration);
  const offer = await client.resolveCredentialOffer(made.offer_uri);
  const issuerMetadata = await client.resolveIssuerMetadata(offer.credential_issuer);
  if (issuerMetadata.originalDraftVersion !== 'V1') throw new Error('the metadata is not taken for final 1.0');
  const { accessTokenResponse } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer: offer, issuerMetadata, txCode: made.tx_code,
  });
  const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
  const { jwt } = await client.createCredentialRequestJwtProof({
    issuerMetadata, credentialConfigurationId: configuration, nonce,
    signer: { method: 'jwk', publicJwk: holder.jwk, alg: 'ES256' },
  });
  const { credentialResponse } = await client.retrieveCredentials({
    issuerMetadata, credentialConfigurationId: configuration, proofs: { jwt: [jwt] },
    accessToken: accessTokenResponse.access_token,
  });
  const { credential } = credentialResponse.credentials[0];
  const issuerJwt = credential.split('~')[0];
  const header = jose.decodeProtectedHeader(issuerJwt);
  const claims = await sdjwt.getClaims(credential);
  await jose.compactVerify(issuerJwt, await issuerKey(claims.iss, header));
  const listed = issuerMetadata.credentialIssuer.credential_configurations_supported[configuration];
  if (header.typ !== 'dc+sd-jwt' || claims.vct !== listed.vct || claims.cnf.jwk.x !== holder.jwk.x) throw new Error('another credential came');
  for (const { path, mandatory } of listed.credential_metadata.claims) {
    const value = path.reduce((at, step) => (step === null ? at?.[0] : at?.[step]), claims);
    if (mandatory && value === undefined) throw new Error(`${path.join('.')} is mandatory and missing`);
  }
  if (await statusOf(claims) !== 0) throw new Error('a fresh credential is not valid by its list');
  console.log(`honest: ${configuration}: ${Object.keys(claims).length} claims, valid`);
  await live(issuer, made.subject, crypto.createHash('sha256').update(issuerJwt).digest('base64url'), claims);
}

/** Takes a credential through its life, and reads each turn of it in the list. */
async function live(issuer, subject, id, claims) {
  const listed = await admin(issuer, `credentials?subject=${subject}`);
  const { id: own } = listed.find(({ digest: of }) => of === id);
  const turns = [['suspend', 2], ['reinstate', 0], ['suspend', 2], ['revoke', 1], ['suspend', 1, 'status.change.final'], ['reinstate', 1, 'status.change.final']];
  for (const [act, status, code] of turns) {
    const answer = await admin(issuer, `credentials/${own}/${act}`, {});
    if (answer.code !== code || await statusOf(claims) !== status) throw new Error(`${act}: ${JSON.stringify(answer)}`);
  }
  const all = await (await fetch(`${issuer.url}/status`)).json();
  if (!all.status_lists.includes(claims.status.status_list.uri)) throw new Error('the aggregation does not name the list');
  console.log('honest: suspended, reinstated, suspended again and revoked for good');
}

// ---- Dishonest: an issuer's open door, and what is pushed through it ----

/** One offer of `configuration`, with everything an honest wallet would know of it. */
async function prepare({ issuer, configuration, another }, more) {
  const made = await offerOf(issuer, configuration, more);
  const uri = new URL(made.offer_uri).searchParams.get('credential_offer_uri');
  const offer = await (await fetch(uri)).json();
  return { issuer, configuration, another, made, uri, code: offer.grants[GRANT]['pre-authorized_code'], txCode: made.tx_code };
}

const form = (parts, change = {}) => {
  const all = { grant_type: GRANT, 'pre-authorized_code': parts.code, tx_code: parts.txCode, ...change };
  return new URLSearchParams(Object.entries(all).filter(([, value]) => value !== undefined)).toString();
};
const postToken = (parts, body = form(parts), type = 'application/x-www-form-urlencoded') =>
  fetch(`${parts.issuer.url}/token`, { method: 'POST', headers: { 'content-type': type }, body });
const tokenFor = async (parts) => (await (await postToken(parts)).json()).access_token;
const nonceOf = async ({ issuer }) => (await (await fetch(`${issuer.url}/nonce`, { method: 'POST' })).json()).c_nonce;

/** A key proof, honest but for what is changed; `undefined` leaves a member out. */
async function prove(parts, { header = {}, payload = {}, key = holder } = {}) {
  const nonce = 'nonce' in payload ? payload.nonce : await nonceOf(parts);
  const claims = { aud: parts.issuer.url, iat: now(), ...payload, nonce };
  const head = { alg: key.alg, typ: 'openid4vci-proof+jwt', jwk: key.jwk, ...header };
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode(head)}.${encode(claims)}`;
  const options = { key: crypto.KeyObject.from(key.privateKey), dsaEncoding: 'ieee-p1363' };
  return `${input}.${crypto.sign(key.alg === 'ES256' ? 'sha256' : null, Buffer.from(input), options).toString('base64url')}`;
}

/** The same, with a signature of the caller's making. */
async function proveBy(parts, header, sign) {
  const input = (await prove(parts, { header })).split('.').slice(0, 2).join('.');
  return `${input}.${sign(input)}`;
}

const asking = (parts, jwts, change = {}) => ({ credential_configuration_id: parts.configuration, proofs: { jwt: jwts }, ...change });
const postCredential = (parts, body, { token = parts.token, headers = {}, query = '' } = {}) => fetch(`${parts.issuer.url}/credential${query}`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }), ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const withProof = (change) => async (parts) => postCredential(parts, asking(parts, [await prove(parts, change)]));
const withBody = (change) => async (parts) => postCredential(parts, asking(parts, [await prove(parts)], change));
const hmac = (secret) => (input) => crypto.createHmac('sha256', secret).update(input).digest('base64url');
const pem = crypto.createPublicKey({ key: holder.jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
const rsa = { kty: 'RSA', n: crypto.randomBytes(256).toString('base64url'), e: 'AQAB' };
const unsupported = [400, 'invalid_proof'];
const malformed = [400, 'invalid_credential_request'];

/** At the token endpoint: each on a fresh offer. */
const atToken = [
  ['code of nobody', 400, 'invalid_grant', 'vci.token.code_unknown', (p) => postToken(p, form(p, { 'pre-authorized_code': 'AAAAAAAAAAAAAAAAAAAAAA.AAAA' }))],
  ['code changed in one character', 400, 'invalid_grant', 'vci.token.code_unknown', (p) => postToken(p, form(p, { 'pre-authorized_code': p.code.slice(0, -1) + (p.code.endsWith('A') ? 'E' : 'A') }))],
  ['code missing', 400, 'invalid_request', 'vci.token.code_missing', (p) => postToken(p, form(p, { 'pre-authorized_code': undefined }))],
  ['tx_code wrong', 400, 'invalid_grant', 'vci.token.tx_code_wrong', (p) => postToken(p, form(p, { tx_code: 'wrong' }))],
  ['tx_code missing', 400, 'invalid_request', 'vci.token.tx_code_missing', (p) => postToken(p, form(p, { tx_code: undefined }))],
  ['tx_code of another offer', 400, 'invalid_grant', 'vci.token.tx_code_wrong', async (p) => postToken(p, form(p, { tx_code: `${(Number(p.txCode) + 1) % 1_000_000}`.padStart(6, '0') }))],
  ['another grant type', 400, 'unsupported_grant_type', 'vci.token.grant_type_unsupported', (p) => postToken(p, form(p, { grant_type: 'authorization_code' }))],
  ['grant type missing', 400, 'invalid_request', 'vci.token.grant_type_missing', (p) => postToken(p, form(p, { grant_type: undefined }))],
  ['a parameter twice', 400, 'invalid_request', 'vci.token.parameter_repeated', (p) => postToken(p, `${form(p)}&tx_code=000000`)],
  ['broken percent-encoding', 400, 'invalid_request', 'vci.token.malformed', (p) => postToken(p, `${form(p)}&x=%zz`)],
  ['JSON instead of a form', 400, 'invalid_request', 'http.content_type', (p) => postToken(p, JSON.stringify({ grant_type: GRANT }), 'application/json')],
  ['body beyond the limit', 413, 'invalid_request', 'http.body.too_large', (p) => postToken(p, `${form(p)}&padding=${'x'.repeat(2_000_000)}`)],
  ['asked by GET', 405, undefined, 'http.method', (p) => fetch(`${p.issuer.url}/token?${form(p)}`)],
];

/** At the credential endpoint: all on one access token, which must still be good at the end. */
const atCredential = [
  ['no token', 401, undefined, 'vci.access.token_missing', (p) => postCredential(p, asking(p, []), { token: null })],
  ['token of nobody', 401, 'invalid_token', 'vci.access.token_unknown', (p) => postCredential(p, asking(p, []), { token: 'nobody' })],
  ['token changed in one character', 401, 'invalid_token', 'vci.access.token_unknown', (p) => postCredential(p, asking(p, []), { token: `${p.token}x` })],
  ['code instead of a token', 401, 'invalid_token', 'vci.access.token_unknown', (p) => postCredential(p, asking(p, []), { token: p.code })],
  ['token in the query', 400, 'invalid_request', 'vci.access.token_in_query', (p) => postCredential(p, asking(p, []), { token: null, query: `?access_token=${p.token}` })],
  ['token in query and header', 400, 'invalid_request', 'vci.access.token_in_query', (p) => postCredential(p, asking(p, []), { query: `?access_token=${p.token}` })],
  ['token under another scheme', 400, 'invalid_request', 'vci.access.token_malformed', (p) => postCredential(p, asking(p, []), { token: null, headers: { authorization: `Basic ${p.token}` } })],
  ['configuration and identifier together', ...malformed, 'vci.request.both_identifiers', (p) => withBody({ credential_identifier: 'x' })(p)],
  ['identifier that nobody gave out', 400, 'unknown_credential_identifier', 'vci.request.identifier_unknown', withBody({ credential_configuration_id: undefined, credential_identifier: 'x' })],
  ['unknown configuration', 400, 'unknown_credential_configuration', 'vci.request.configuration_unknown', withBody({ credential_configuration_id: 'nothing' })],
  ['configuration that was not offered', 403, 'insufficient_scope', 'vci.access.not_offered', (p) => withBody({ credential_configuration_id: p.another })(p)],
  ['format instead of a configuration', ...malformed, 'vci.request.configuration_missing', withBody({ credential_configuration_id: undefined, format: 'dc+sd-jwt', vct: 'urn:xinfu:credential:resident-identity:1' })],
  ['a single proof, as drafts had it', ...unsupported, 'vci.proof.missing', async (p) => postCredential(p, asking(p, [], { proofs: undefined, proof: { proof_type: 'jwt', jwt: await prove(p) } }))],
  ['no proofs', ...unsupported, 'vci.proof.missing', withBody({ proofs: undefined })],
  ['empty proofs', ...unsupported, 'vci.proof.missing', withBody({ proofs: {} })],
  ['empty list of proofs', ...unsupported, 'vci.proof.missing', withBody({ proofs: { jwt: [] } })],
  ['too many proofs', ...malformed, 'vci.proof.too_many', async (p) => { const jwt = await prove(p); return postCredential(p, asking(p, Array(11).fill(jwt))); }],
  ['one key twice', ...unsupported, 'vci.proof.key_repeated', async (p) => { const jwt = await prove(p); return postCredential(p, asking(p, [jwt, jwt])); }],
  ['unknown proof type', ...unsupported, 'vci.proof.type_unsupported', withBody({ proofs: { di_vp: [{}] } })],
  ['two proof types', ...unsupported, 'vci.proof.type_unsupported', async (p) => withBody({ proofs: { jwt: [await prove(p)], attestation: ['x'] } })(p)],
  ['proofs is a string', ...malformed, 'json.shape', withBody({ proofs: 'jwt' })],
  ['proof is a number', ...malformed, 'json.shape', withBody({ proofs: { jwt: [7] } })],
  ['proof is garbage', ...unsupported, 'jose.jws.parts', withBody({ proofs: { jwt: ['garbage'] } })],
  ['proof of 100,000 characters', ...unsupported, 'jose.jws.too_large', withBody({ proofs: { jwt: ['x'.repeat(100_000)] } })],
  ['second of two proofs does not hold', ...unsupported, 'vci.proof.audience', async (p) => postCredential(p, asking(p, [await prove(p), await prove(p, { key: other, payload: { aud: 'https://other.example' } })]))],
  ['alg is none', ...unsupported, 'jose.alg.none', async (p) => postCredential(p, asking(p, [await proveBy(p, { alg: 'none' }, () => '')]))],
  ['alg is nOnE', ...unsupported, 'jose.alg.none', async (p) => postCredential(p, asking(p, [await proveBy(p, { alg: 'nOnE' }, () => '')]))],
  ['HS256 with the public key as JWK', ...unsupported, 'jose.alg.symmetric', async (p) => postCredential(p, asking(p, [await proveBy(p, { alg: 'HS256' }, hmac(JSON.stringify(holder.jwk)))]))],
  ['HS256 with the public key as PEM', ...unsupported, 'jose.alg.symmetric', async (p) => postCredential(p, asking(p, [await proveBy(p, { alg: 'HS256' }, hmac(pem))]))],
  ['alg of another kind of key', ...unsupported, 'jose.alg.key_mismatch', async (p) => postCredential(p, asking(p, [await proveBy(p, { alg: 'EdDSA' }, () => 'A'.repeat(86))]))],
  ['all-zero signature', ...unsupported, 'jose.signature.invalid', async (p) => postCredential(p, asking(p, [await proveBy(p, {}, () => 'A'.repeat(86))]))],
  ['key of another', ...unsupported, 'jose.signature.invalid', withProof({ header: { jwk: other.jwk } })],
  ['typ is JWT', ...unsupported, 'jose.typ.wrong', withProof({ header: { typ: 'JWT' } })],
  ['typ is missing', ...unsupported, 'jose.typ.missing', withProof({ header: { typ: undefined } })],
  ['an unknown critical extension', ...unsupported, 'jose.header.critical', withProof({ header: { crit: ['x'], x: 1 } })],
  ['payload not encoded', ...unsupported, 'jose.header.b64', withProof({ header: { crit: ['b64'], b64: false } })],
  ['no key', ...unsupported, 'vci.proof.key_missing', withProof({ header: { jwk: undefined } })],
  ['jwk and kid', ...unsupported, 'vci.proof.key_ambiguous', withProof({ header: { kid: 'did:key:x#x' } })],
  ['jwk and x5c', ...unsupported, 'vci.proof.key_ambiguous', withProof({ header: { x5c: ['AAAA'] } })],
  ['certificate', ...unsupported, 'vci.proof.certificate', withProof({ header: { jwk: undefined, x5c: ['AAAA'] } })],
  ['kid of nobody', ...unsupported, 'vci.proof.kid', withProof({ header: { jwk: undefined, kid: '1' } })],
  ['jwk with the private part', ...unsupported, 'jose.jwk.private', withProof({ header: { jwk: holder.secret } })],
  ['jwk is RSA', ...unsupported, 'jose.jwk.unsupported', withProof({ header: { jwk: rsa } })],
  ['audience of another', ...unsupported, 'vci.proof.audience', withProof({ payload: { aud: 'https://other.example' } })],
  ['audience with a slash more', ...unsupported, 'vci.proof.audience', async (p) => withProof({ payload: { aud: `${p.issuer.url}/` } })(p)],
  ['audience missing', ...unsupported, 'jose.claim.missing', withProof({ payload: { aud: undefined } })],
  ['iss present', ...unsupported, 'vci.proof.issuer_present', withProof({ payload: { iss: 'wallet' } })],
  ['iat missing', ...unsupported, 'jose.claim.missing', withProof({ payload: { iat: undefined } })],
  ['iat is a string', ...unsupported, 'jose.time.not_a_number', async (p) => withProof({ payload: { iat: String(now()) } })(p)],
  ['proof of yesterday', ...unsupported, 'jose.time.issued_too_long_ago', async (p) => withProof({ payload: { iat: now() - 86_400 } })(p)],
  ['proof of tomorrow', ...unsupported, 'jose.time.issued_in_future', async (p) => withProof({ payload: { iat: now() + 86_400 } })(p)],
  ['nonce missing', ...unsupported, 'vci.proof.nonce_missing', withProof({ payload: { nonce: undefined } })],
  ['nonce is a number', ...unsupported, 'jose.claim.wrong_type', withProof({ payload: { nonce: 7 } })],
  ['nonce of nobody', 400, 'invalid_nonce', 'vci.nonce.foreign', withProof({ payload: { nonce: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } })],
  ['nonce of another issuer', 400, 'invalid_nonce', 'vci.nonce.foreign', async (p) => withProof({ payload: { nonce: await nonceOf({ issuer: world.issuers.at(-1) }) } })(p)],
  ['nonce used before', 400, 'invalid_nonce', 'vci.nonce.used', (p) => withProof({ payload: { nonce: p.usedNonce } })(p)],
  ['encrypted answer wanted', 400, 'invalid_encryption_parameters', 'vci.request.encryption_unsupported', withBody({ credential_response_encryption: { jwk: holder.jwk, enc: 'A256GCM' } })],
  ['a member twice', ...malformed, 'json.duplicate_key', (p) => postCredential(p, `{"credential_configuration_id":"${p.configuration}","credential_configuration_id":"x"}`)],
  ['body is an array', ...malformed, 'json.shape', (p) => postCredential(p, '[]')],
  ['body is cut', ...malformed, 'json.malformed', (p) => postCredential(p, '{"proofs":')],
  ['body 100,000 levels deep', ...malformed, 'json.too_deep', (p) => postCredential(p, '['.repeat(100_000))],
  ['form instead of JSON', ...malformed, 'http.content_type', (p) => postCredential(p, 'a=b', { headers: { 'content-type': 'application/x-www-form-urlencoded' } })],
  ['compressed body', ...malformed, 'http.body.compressed', (p) => postCredential(p, '{}', { headers: { 'content-encoding': 'gzip' } })],
  ['body beyond the limit', 413, 'invalid_credential_request', 'http.body.too_large', (p) => postCredential(p, ' '.repeat(2_000_000))],
];

/** Receives a credential bound to a DID that spells its key out. */
async function receiveByDid(door) {
  const parts = await prepare(door);
  parts.token = await tokenFor(parts);
  const kid = `did:jwk:${Buffer.from(JSON.stringify(holder.jwk)).toString('base64url')}#0`;
  const answer = await withProof({ header: { jwk: undefined, kid } })(parts);
  const body = await answer.json();
  if (answer.status !== 200) throw new Error(`bound to a DID: ${answer.status} ${JSON.stringify(body)}`);
  const { cnf } = await sdjwt.getClaims(body.credentials[0].credential);
  if (cnf.kid !== kid || cnf.jwk) throw new Error(`bound to another key: ${JSON.stringify(cnf)}`);
  console.log('honest: bound to a did:jwk');
}

async function expect(name, answer, status, error, code) {
  const text = await answer.text();
  let body = {};
  try { body = JSON.parse(text) } catch { /* then it has no code either */ }
  const held = answer.status === status && body.error === error && body.code === code;
  if (!held) throw new Error(`${name}: ${answer.status} ${text.slice(0, 300)}, expected ${status} ${error} ${code}`);
  console.log(`refused: ${name}: ${status} ${error ?? '-'} ${code}`);
}

async function dishonestly(door) {
  for (const [name, status, error, code, act] of atToken) await expect(name, await act(await prepare(door)), status, error, code);
  const parts = await prepare(door);
  parts.token = await tokenFor(parts);
  const spent = await prepare(door);
  parts.usedNonce = await nonceOf(parts);
  const first = await postCredential({ ...spent, token: await tokenFor(spent) }, asking(spent, [await prove(spent, { payload: { nonce: parts.usedNonce } })]));
  if (first.status !== 200) throw new Error(`an honest request in between: ${first.status} ${await first.text()}`);
  for (const [name, status, error, code, act] of atCredential) await expect(name, await act(parts), status, error, code);
  const honest = await postCredential(parts, asking(parts, [await prove(parts)]));
  if (honest.status !== 200) throw new Error(`after all of that, the honest request: ${honest.status} ${await honest.text()}`);
  await expect('credential twice', await postCredential(parts, asking(parts, [await prove(parts, { key: other })])), 400, 'credential_request_denied', 'vci.request.already_issued');
  return atToken.length + atCredential.length + 1;
}

// ---- Once and only once, and in time ----

async function codeOnce(door) {
  const parts = await prepare(door);
  const shown = await Promise.all([fetch(parts.uri), fetch(parts.uri)]);
  if (shown.some((answer) => answer.status !== 200)) throw new Error('an open offer is not shown twice');
  await tokenFor(parts);
  await expect('code twice', await postToken(parts), 400, 'invalid_grant', 'vci.token.code_used');
  await expect('offer after its code was used', await fetch(parts.uri), 410, undefined, 'vci.offer.used');
  await expect('offer of nobody', await fetch(parts.uri.replace(/[^/]*$/, 'AAAAAAAAAAAAAAAAAAAAAA')), 404, undefined, 'vci.offer.unknown');
  const race = await prepare(door);
  const answers = await Promise.all(Array.from({ length: 8 }, () => postToken(race)));
  if (answers.filter((answer) => answer.status === 200).length !== 1) throw new Error('of eight uses of a code not exactly one was taken');
  return 3;
}

async function credentialOnce(door) {
  const parts = await prepare(door);
  parts.token = await tokenFor(parts);
  const keys = await Promise.all(Array.from({ length: 8 }, () => makeKey()));
  const bodies = await Promise.all(keys.map(async (key) => asking(parts, [await prove(parts, { key })])));
  const answers = await Promise.all(bodies.map((body) => postCredential(parts, body)));
  if (answers.filter((answer) => answer.status === 200).length !== 1) throw new Error('of eight uses of a token not exactly one gave a credential');
  console.log('once: of eight concurrent uses one is taken, of a code and of a token');
}

async function lockedOut(door) {
  const parts = await prepare(door);
  const guesses = await Promise.all(Array.from({ length: 8 }, (_, guess) => postToken(parts, form(parts, { tx_code: `x${guess}` }))));
  const codes = await Promise.all(guesses.map(async (answer) => (await answer.json()).code));
  const counted = codes.filter((code) => code === 'vci.token.tx_code_wrong').length;
  if (counted !== 5) throw new Error(`${counted} of eight guesses were let through instead of five`);
  await expect('right tx_code after five wrong ones', await postToken(parts), 400, 'invalid_grant', 'vci.token.code_locked');
  await expect('offer that is locked', await fetch(parts.uri), 410, undefined, 'vci.offer.locked');
  return 2;
}

/** What the status lists are asked, and do not answer. */
async function listsOf({ issuer }) {
  const [uri] = (await (await fetch(`${issuer.url}/status`)).json()).status_lists;
  const asked = (accept) => fetch(uri, { headers: { accept } });
  await expect('status list as CBOR', await asked('application/statuslist+cwt'), 406, undefined, 'vci.status.not_acceptable');
  await expect('status list of another time', await fetch(`${uri}?time=1700000000`), 501, undefined, 'vci.status.time');
  await expect('status list of nobody', await fetch(`${issuer.url}/status/99`), 404, undefined, 'http.not_found');
  return 3;
}

async function tooLate(door) {
  const parts = await prepare(door, { valid_for: 1 });
  await pause(1.1);
  await expect('code after its time', await postToken(parts), 400, 'invalid_grant', 'vci.token.code_expired');
  await expect('offer after its time', await fetch(parts.uri), 410, undefined, 'vci.offer.expired');
  return 2;
}

/** The nonce was taken when all of this began, so that little is left to wait for. */
async function staleNonce(door, nonce, taken) {
  const parts = await prepare(door);
  parts.token = await tokenFor(parts);
  await pause(Math.max(0, taken + NONCE_SECONDS + 1 - now()));
  await expect('nonce after its time', await withProof({ payload: { nonce } })(parts), 400, 'invalid_nonce', 'vci.nonce.expired');
  return 1;
}

const doors = [];
for (const issuer of world.issuers) {
  const { origin, pathname } = new URL(issuer.url);
  const metadata = await (await fetch(`${origin}/.well-known/openid-credential-issuer${pathname.replace(/\/$/, '')}`)).json();
  for (const configuration of Object.keys(metadata.credential_configurations_supported)) doors.push({ issuer, configuration });
}
const door = doors.find(({ issuer, configuration }) => doors.some((other) => other.issuer === issuer && other.configuration !== configuration));
door.another = doors.find((other) => other.issuer === door.issuer && other !== door).configuration;
const [early, taken] = [await nonceOf(door), now()];
for (const { issuer, configuration } of doors) await receive(issuer, configuration);
await receiveByDid(door);
let refused = await dishonestly(door);
for (const act of [codeOnce, lockedOut, listsOf, tooLate]) refused += await act(door);
await credentialOnce(door);
refused += await staleNonce(door, early, taken);
console.log(`ISSUE OK ${doors.length} types received, ${refused} dishonest ways refused`);
