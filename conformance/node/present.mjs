// Presents with third-party software (@openid4vc/openid4vp, dcql, @sd-jwt), honestly and then dishonestly.
// Expects wallet-0.json beside it, written by wallet-preauth.mjs: the credential and its ES256 holder key.
// usage: node present.mjs path/to/devnet.json
import { setGlobalConfig } from '@openid4vc/oauth2';
import { Openid4vpClient, Openid4vpVerifier, parseTransactionData } from '@openid4vc/openid4vp';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';
import { digest, generateSalt } from '@sd-jwt/crypto-nodejs';
import { DcqlQuery } from 'dcql';
import * as jose from 'jose';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

setGlobalConfig({ allowInsecureUrls: process.env.ALLOW_HTTP === '1' });
const world = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const verifier = world.verifiers[0];
const wallet = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'wallet-0.json'), 'utf8'));
const sha256 = (text) => crypto.createHash('sha256').update(text).digest('base64url');
const now = () => Math.floor(Date.now() / 1000);

// ---- The services, as their operator and as the public see them ----

async function admin(route, body) {
  const token = fs.readFileSync(verifier.admin_token_file, 'utf8').trim();
  const answer = await fetch(`${verifier.url}/admin/${route}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`/admin/${route}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** The key that a DID document on the ledger names under `authentication`. */
async function requestKey(kid) {
  const did = kid.split('#')[0];
  const answer = await (await fetch(`${world.ledger.url}/1.0/identifiers/${encodeURIComponent(did)}`)).json();
  const document = answer.didDocument ?? answer;
  const inFull = (id) => (id.startsWith('#') ? did + id : id);
  if (!document.authentication.some((entry) => inFull(entry.id ?? entry) === kid)) throw new Error('kid is not for authentication');
  return document.verificationMethod.find((method) => inFull(method.id) === kid).publicKeyJwk;
}

/** The key of a certificate by the devnet's authority. */
function certifiedKey(x5c) {
  const leaf = new crypto.X509Certificate(Buffer.from(x5c[0], 'base64'));
  const authority = new crypto.X509Certificate(fs.readFileSync(world.ca));
  if (x5c.length !== 1 || !leaf.checkIssued(authority) || !leaf.verify(authority.publicKey)) throw new Error('the certificate is not by the authority');
  return leaf.publicKey.export({ format: 'jwk' });
}

/** The credential's anchor proof, from its issuer, once the ledger has certified it. */
async function anchorProof(issuerJwt) {
  const { iss } = jose.decodeJwt(issuerJwt);
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const answer = await fetch(`${iss.replace(/\/$/, '')}/anchors/${sha256(issuerJwt)}`);
    if (answer.status === 200) return answer.json();
    if (answer.status !== 202) throw new Error(`anchor proof: ${answer.status}`);
    await new Promise((done) => setTimeout(done, 1000));
  }
  throw new Error('the anchor proof did not come within a minute');
}

// ---- The third-party wallet ----

const callbacks = {
  fetch,
  hash: (data, alg) => crypto.createHash(alg.replace('-', '')).update(data).digest(),
  generateRandom: (n) => crypto.randomBytes(n),
  signJwt: () => { throw new Error('nothing here is signed by the library') },
  async encryptJwe({ publicJwk, alg, enc, apu, apv }, content) {
    const parameters = Object.fromEntries(Object.entries({ apu, apv }).filter(([, value]) => value));
    const bytes = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, jose.base64url.decode(value)]));
    const jwe = await new jose.CompactEncrypt(new TextEncoder().encode(content))
      .setProtectedHeader({ alg, enc, kid: publicJwk.kid })
      .setKeyManagementParameters(bytes)
      .encrypt(await jose.importJWK(publicJwk, alg));
    return { jwe, encryptionJwk: publicJwk };
  },
  decryptJwe: () => { throw new Error('nothing here is decrypted') },
  getX509CertificateMetadata: () => ({ sanDnsNames: [], sanUriNames: [] }),
  async verifyJwt(signer, { compact, header }) {
    const jwk = signer.method === 'did' ? await requestKey(header.kid) : certifiedKey(signer.x5c);
    await jose.compactVerify(compact, await jose.importJWK(jwk, header.alg));
    return { verified: true, signerJwk: jwk };
  },
};
const client = new Openid4vpClient({ callbacks });
/** The same library's other side, which holds our digests against its own reading of the specification. */
const theirVerifier = new Openid4vpVerifier({ callbacks });
const sdjwt = new SDJwtVcInstance({ hasher: digest, hashAlg: 'sha-256', saltGenerator: generateSalt });
const holderKey = await jose.importJWK(wallet.prv, 'ES256');
const issuerJwt = wallet.cred.split('~')[0];
const claims = await sdjwt.getClaims(wallet.cred);
const proof = await anchorProof(issuerJwt);

/** Resolves a link with the library, and answers which claims of our credential the query wants. */
async function resolve(link) {
  const parsed = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: link });
  const { authorizationRequestPayload: request, transactionData } = await client.resolveOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: parsed.params,
  });
  checkAttested(request, transactionData);
  const query = DcqlQuery.parse(request.dcql_query);
  DcqlQuery.validate(query);
  const match = DcqlQuery.query(query, [{
    credential_format: 'dc+sd-jwt', vct: claims.vct, claims, cryptographic_holder_binding: true,
  }]);
  return { request, query, match };
}

/** An official answers for this very request, and what the holder is to sign is over the official's word. */
function checkAttested(request, transactionData = []) {
  const infos = (request.verifier_info ?? []).filter(({ format }) => format === 'xinfu-duty+jwt');
  if (infos.length !== 1) throw new Error(`${infos.length} attestations`);
  const said = jose.decodeJwt(infos[0].data);
  const same = ['client_id', 'nonce', 'response_uri', 'exp'].every((name) => said[name] === request[name]);
  if (!same || said.purpose !== request.xinfu_purpose) throw new Error('the attestation is over another request');
  if (said.holder_signs !== transactionData.length > 0) throw new Error('transaction_data is there, or not there, against the attestation');
  for (const { transactionData: object } of transactionData) {
    if (object.type !== 'urn:xinfu:transaction-data:duty:1') throw new Error(`transaction data of type ${object.type}`);
    if (object.attestation !== sha256(infos[0].data)) throw new Error('transaction data over another attestation');
  }
}

/** What a KB-JWT carries for the transaction data of a request, as the library parses it. */
function hashes(request) {
  if (!request.transaction_data) return {};
  const entries = parseTransactionData({ transactionData: request.transaction_data });
  return { transaction_data_hashes: entries.map(({ encoded }) => sha256(encoded)) };
}

/** `{a: {b: true}}` for the paths, as @sd-jwt wants it. */
function frame(paths) {
  const root = {};
  for (const steps of paths) {
    let at = root;
    steps.forEach((step, depth) => { at = at[step] = depth === steps.length - 1 ? true : at[step] ?? {} });
  }
  return root;
}

/** Issuer JWT and the chosen disclosures, up to and including the last `~`. */
async function disclose(credentialQuery) {
  const presented = await sdjwt.present(wallet.cred, frame((credentialQuery.claims ?? []).map((claim) => claim.path)));
  return presented.endsWith('~') ? presented : `${presented}~`;
}

async function bind(sdJwt, request, { header = {}, payload = {}, key = holderKey, over = sdJwt } = {}) {
  const body = { iat: now(), aud: request.client_id, nonce: request.nonce, sd_hash: sha256(over), ...hashes(request), ...payload };
  return sdJwt + await new jose.SignJWT(body).setProtectedHeader({ alg: 'ES256', typ: 'kb+jwt', ...header }).sign(key);
}

/** The ways in which a request can be made. */
const plain = { response_mode: 'direct_post', client_id_prefix: 'decentralized_identifier' };
const encrypted = { ...plain, response_mode: 'direct_post.jwt' };
const manners = [plain, encrypted, { ...plain, client_id_prefix: 'x509_hash' }, { ...encrypted, client_id_prefix: 'x509_hash' }];

/** A fresh request, by a query's name or with a body of its own, and the parts of an honest answer to it. */
async function prepare(query, manner = plain) {
  const made = await admin('requests', { ...(typeof query === 'string' ? { query } : query), ...manner });
  const resolved = await resolve(made.request_uri_link);
  const asked = resolved.query.credentials[0];
  const sdJwt = await disclose(asked);
  const presentation = await bind(sdJwt, resolved.request);
  return {
    made, asked: query, ...resolved, id: asked.id, sdJwt, presentation,
    form: {
      state: resolved.request.state,
      vp_token: JSON.stringify({ [asked.id]: [presentation] }),
      xinfu_anchor: JSON.stringify({ [asked.id]: [proof] }),
    },
  };
}

const post = (uri, body) => fetch(uri, {
  method: 'POST', redirect: 'manual', headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: typeof body === 'string' ? body : new URLSearchParams(body).toString(),
});

// ---- Honest ----

async function honest(query, manner) {
  const parts = await prepare(query, manner);
  if (!parts.request.client_id.startsWith(`${manner.client_id_prefix}:`)) throw new Error(`asked as ${parts.request.client_id}`);
  if (!verifier.client_ids.includes(parts.request.client_id)) throw new Error('devnet.json does not name the client');
  if (!parts.match.can_be_satisfied) throw new Error('dcql: the credential does not satisfy the query');
  const { authorizationResponsePayload, jarm } = await client.createOpenid4vpAuthorizationResponse({
    ...(manner.response_mode === 'direct_post.jwt' && { jarm: {
      encryption: { nonce: 'a nonce of the wallet' },
      serverMetadata: { authorization_encryption_alg_values_supported: ['ECDH-ES'], authorization_encryption_enc_values_supported: ['A256GCM', 'A128GCM'] },
    } }),
    authorizationRequestPayload: parts.request,
    clientMetadata: parts.request.client_metadata,
    authorizationResponsePayload: { vp_token: { [parts.id]: [parts.presentation] }, xinfu_anchor: { [parts.id]: [proof] } },
  });
  const { response } = await client.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: parts.request, authorizationResponsePayload, jarm,
  });
  const text = await response.text();
  if (response.status !== 200 || typeof JSON.parse(text) !== 'object') throw new Error(`honest answer: ${response.status} ${text}`);
  const verdict = await admin(`requests/${parts.made.id}`);
  if (verdict.state !== 'verified') throw new Error(`honest answer: ${JSON.stringify(verdict)}`);
  const asked = (parts.query.credentials[0].claims ?? []).map((claim) => claim.path);
  const shown = JSON.stringify(verdict.claims);
  for (const steps of asked) {
    const value = steps.reduce((at, step) => at?.[step], claims);
    if (!shown.includes(JSON.stringify(value))) throw new Error(`${steps.join('.')} did not arrive`);
  }
  if (parts.request.transaction_data) {
    const [, kbJwt] = /~([^~]+)$/.exec(parts.presentation);
    const [{ presentations }] = await theirVerifier.verifyTransactionData({
      transactionData: parts.request.transaction_data,
      credentials: { [parts.id]: [jose.decodeJwt(kbJwt)] },
    });
    if (presentations.length !== 1) throw new Error('the library does not find the transaction data signed');
  }
  const signed = parts.request.transaction_data ? 'and the purpose signed' : 'no purpose signed';
  console.log('honest:', manner.response_mode, manner.client_id_prefix, 'verified,', asked.length, 'claims,', signed);
}

// ---- Dishonest: name, expected code (or status), and what is done to an honest answer ----

const vpToken = (parts, value) => ({ ...parts.form, vp_token: typeof value === 'string' ? value : JSON.stringify(value) });
const instead = (parts, presentation) => vpToken(parts, { [parts.id]: [presentation] });
const rebound = async (parts, options) => instead(parts, await bind(options.sdJwt ?? parts.sdJwt, parts.request, options));
const otherKey = (await jose.generateKeyPair('ES256')).privateKey;
const flip = (text, at) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
const unsigned = (header, payload) => [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + '.';

const dishonest = [
  ['vp_token is a string', 'vp.response.vp_token', (p) => vpToken(p, JSON.stringify(p.presentation))],
  ['vp_token is a bare presentation', 'vp.response.vp_token', (p) => vpToken(p, p.presentation)],
  ['vp_token is a number', 'vp.response.vp_token', (p) => vpToken(p, 7)],
  ['vp_token is an array', 'vp.response.vp_token', (p) => vpToken(p, [p.presentation])],
  ['a query id leads to a string', 'vp.response.vp_token', (p) => vpToken(p, { [p.id]: p.presentation })],
  ['a query id leads to an empty array', 'vp.response.vp_token', (p) => vpToken(p, { [p.id]: [] })],
  ['a query id leads to numbers', 'vp.response.vp_token', (p) => vpToken(p, { [p.id]: [7] })],
  ['two presentations for one', 'vp.response.vp_token', (p) => vpToken(p, { [p.id]: [p.presentation, p.presentation] })],
  ['a query id twice', 'vp.response.vp_token', (p) => vpToken(p, `{"${p.id}":["x"],"${p.id}":["${p.presentation}"]}`)],
  ['trailing data', 'vp.response.vp_token', (p) => vpToken(p, `${p.form.vp_token} {}`)],
  ['an id nobody asked for', 'vp.response.unasked', (p) => vpToken(p, { [p.id]: [p.presentation], extra: [p.presentation] })],
  ['no id at all', 'vp.response.unanswered', (p) => vpToken(p, {})],
  ['state of nobody', 'vp.response.state', (p) => ({ ...p.form, state: 'AAAAAAAAAAAAAAAAAAAAAA' })],
  ['no state', 'vp.response.state', ({ form: { state: _, ...form } }) => form],
  ['a parameter twice', 'vp.response.malformed', (p) => `${new URLSearchParams(p.form)}&state=${p.form.state}`],
  ['answer and error at once', 'vp.response.malformed', (p) => ({ ...p.form, error: 'access_denied' })],
  ['neither answer nor error', 'vp.response.malformed', (p) => ({ state: p.form.state })],
  ['encrypted unasked', 'vp.response.encrypted', (p) => ({ state: p.form.state, response: 'a.b.c.d.e' })],
  ['broken percent-encoding', 'vp.response.malformed', (p) => `${new URLSearchParams(p.form)}&x=%zz`],
  ['no anchor proof', 'vp.response.anchor_missing', ({ form: { xinfu_anchor: _, ...form } }) => form],
  ['anchor proof is no JSON', 'vp.response.anchor_malformed', (p) => ({ ...p.form, xinfu_anchor: 'garbage' })],
  ['anchor proofs out of step', 'vp.response.anchor_malformed', (p) => ({ ...p.form, xinfu_anchor: JSON.stringify({ [p.id]: [proof, proof] }) })],
  ['anchor proof is empty', 'registry.proof.malformed', (p) => ({ ...p.form, xinfu_anchor: JSON.stringify({ [p.id]: [{}] }) })],
  ['anchor proof with another path', 'registry.proof.not_in_batch', (p) => ({ ...p.form, xinfu_anchor: JSON.stringify({ [p.id]: [{ ...proof, batch: { ...proof.batch, index: proof.batch.index + 1 } }] }) })],
  ['anchor transaction changed', 'registry.proof.not_in_log', (p) => ({ ...p.form, xinfu_anchor: JSON.stringify({ [p.id]: [{ ...proof, transaction: flip(proof.transaction, proof.transaction.length - 20) }] }) })],
  ['holder signature stripped', 'kb_jwt.missing', (p) => instead(p, p.sdJwt)],
  ['holder key swapped', 'kb_jwt.signature', (p) => rebound(p, { key: otherKey })],
  ['audience without prefix', 'kb_jwt.audience', (p) => rebound(p, { payload: { aud: p.request.client_id.replace(/^[^:]*:/, '') } })],
  ['audience of another', 'kb_jwt.audience', (p) => rebound(p, { payload: { aud: 'decentralized_identifier:did:example:other' } })],
  ['nonce of another', 'kb_jwt.nonce', (p) => rebound(p, { payload: { nonce: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } })],
  ['holder signature of last year', 'kb_jwt.too_old', (p) => rebound(p, { payload: { iat: now() - 31_536_000 } })],
  ['holder signature of tomorrow', 'kb_jwt.in_future', (p) => rebound(p, { payload: { iat: now() + 86_400 } })],
  ['iat is a string', 'jose.time.not_a_number', (p) => rebound(p, { payload: { iat: String(now()) } })],
  ['holder typ is JWT', 'jose.typ.wrong', (p) => rebound(p, { header: { typ: 'JWT' } })],
  ['holder names a critical extension', 'jose.header.critical', (p) => instead(p, p.sdJwt + unsigned({ alg: 'ES256', typ: 'kb+jwt', crit: ['x'], x: 1 }, {}) + p.presentation.split('.').at(-1))],
  ['holder alg is none', 'jose.alg.none', (p) => instead(p, p.sdJwt + unsigned({ alg: 'none', typ: 'kb+jwt' }, { iat: now(), aud: p.request.client_id, nonce: p.request.nonce, sd_hash: sha256(p.sdJwt) }))],
  ['holder signed another selection', 'kb_jwt.sd_hash', (p) => rebound(p, { over: `${issuerJwt}~` })],
  ['what it is wanted for is not signed', 'kb_jwt.transaction_data', (p) => rebound(p, { payload: { transaction_data_hashes: undefined } })],
  ['what it is wanted for is another', 'kb_jwt.transaction_data', (p) => rebound(p, { payload: { transaction_data_hashes: [sha256('another')] } })],
  ['a hash more than was asked for', 'kb_jwt.transaction_data', (p) => rebound(p, { payload: { transaction_data_hashes: [sha256(p.request.transaction_data[0]), sha256('more')] } })],
  ['the hashes are no array', 'kb_jwt.transaction_data', (p) => rebound(p, { payload: { transaction_data_hashes: sha256(p.request.transaction_data[0]) } })],
  ['the hashes are said to be others', 'kb_jwt.transaction_data', (p) => rebound(p, { payload: { transaction_data_hashes_alg: 'sha-512' } })],
  ['sd_hash is missing', 'jose.claim.missing', (p) => rebound(p, { payload: { sd_hash: undefined } })],
  ['a disclosure taken away after signing', 'kb_jwt.sd_hash', (p) => instead(p, p.presentation.split('~').filter((_, at) => at !== 1).join('~'))],
  ['a disclosure added after signing', 'kb_jwt.sd_hash', (p) => {
    const all = wallet.cred.split('~').slice(1).filter(Boolean);
    const extra = all.find((one) => !p.presentation.includes(one));
    const [jwt, ...rest] = p.presentation.split('~');
    return instead(p, [jwt, extra, ...rest].join('~'));
  }],
  ['a disclosure twice', 'sd_jwt.disclosure.duplicate', (p) => {
    const [jwt, first, ...rest] = p.sdJwt.split('~');
    return rebound(p, { sdJwt: [jwt, first, first, ...rest].join('~') });
  }],
  ['a disclosure nobody signed', 'sd_jwt.disclosure.unreferenced', (p) => {
    const invented = Buffer.from(JSON.stringify(['salt-salt-salt-salt-ss', 'invented', 'x'])).toString('base64url');
    return rebound(p, { sdJwt: `${p.sdJwt}${invented}~` });
  }],
  ['a claim held back', 'dcql.answer.claims', async (p) => rebound(p, { sdJwt: `${issuerJwt}~` })],
  ['issuer signature changed', 'registry.proof.not_in_batch', (p) => rebound(p, { sdJwt: p.sdJwt.replace(issuerJwt, flip(issuerJwt, issuerJwt.length - 10)) })],
  ['issuer alg is none', 'jose.alg.none', (p) => rebound(p, { sdJwt: p.sdJwt.replace(issuerJwt, unsigned({ alg: 'none', typ: 'dc+sd-jwt' }, jose.decodeJwt(issuerJwt))) })],
  ['presentation is garbage', 'sd_jwt.no_tilde', (p) => instead(p, 'garbage')],
  ['presentation with 5000 tildes', 'sd_jwt.disclosure.empty', (p) => instead(p, p.sdJwt + '~'.repeat(5000))],
  ['presentation with 5000 disclosures', 'sd_jwt.disclosure.too_many', (p) => instead(p, p.sdJwt + 'W10~'.repeat(5000))],
  ['body beyond the limit', 413, (p) => ({ ...p.form, padding: 'x'.repeat(2_000_000) })],
];

// ---- Dishonest under direct_post.jwt ----

/** What an honest wallet encrypts. */
const content = ({ form }) => ({ state: form.state, vp_token: JSON.parse(form.vp_token), xinfu_anchor: JSON.parse(form.xinfu_anchor) });
const keyOf = ({ request }) => request.client_metadata.jwks.keys[0];

/** A JWE of anything, to the request's key unless told otherwise. */
async function seal(parts, { header = {}, key = keyOf(parts), what = content(parts) } = {}) {
  const protectedHeader = { alg: 'ECDH-ES', enc: 'A256GCM', kid: keyOf(parts).kid, ...header };
  const text = typeof what === 'string' ? what : JSON.stringify(what);
  return new jose.CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader(protectedHeader)
    .encrypt(await jose.importJWK({ ...key, alg: undefined }, protectedHeader.alg));
}

/** An honest JWE with members of its header changed afterwards. */
async function reheaded(parts, members) {
  const [head, ...rest] = (await seal(parts)).split('.');
  const changed = { ...JSON.parse(Buffer.from(head, 'base64url')), ...members };
  return [Buffer.from(JSON.stringify(changed)).toString('base64url'), ...rest].join('.');
}

const response = async (jwe) => ({ response: await jwe });
const cut = async (parts, at, change) => (await seal(parts)).split('.').map((part, place) => (place === at ? change(part) : part)).join('.');
const stranger = await jose.exportJWK((await jose.generateKeyPair('ECDH-ES', { crv: 'P-256' })).publicKey);
const offCurve = { kty: 'EC', crv: 'P-256', x: stranger.x, y: stranger.x };

const dishonestEncrypted = [
  ['plain where encrypted was demanded', 'vp.response.not_encrypted', (p) => p.form],
  ['plain and encrypted at once', 'vp.response.malformed', async (p) => ({ ...p.form, response: await seal(p) })],
  ['key agreement with key wrapping', 'jose.jwe.alg', (p) => response(seal(p, { header: { alg: 'ECDH-ES+A256KW' } }))],
  ['key agreement renamed', 'jose.jwe.alg', (p) => response(reheaded(p, { alg: 'dir' }))],
  ['key encryption by RSA', 'jose.jwe.alg', (p) => response(reheaded(p, { alg: 'RSA-OAEP-256' }))],
  ['content under A192GCM', 'jose.jwe.enc', (p) => response(seal(p, { header: { enc: 'A192GCM' } }))],
  ['content under CBC', 'jose.jwe.enc', (p) => response(seal(p, { header: { enc: 'A256CBC-HS512' } }))],
  ['content encryption renamed', 'jose.jwe.undecipherable', (p) => response(reheaded(p, { enc: 'A128GCM' }))],
  ['content said to be compressed', 'jose.jwe.compressed', (p) => response(reheaded(p, { zip: 'DEF' }))],
  ['a critical extension', 'jose.header.critical', (p) => response(reheaded(p, { crit: ['x'], x: 1 }))],
  ['content said to be a token', 'jose.jwe.nested', (p) => response(seal(p, { header: { cty: 'JWT' } }))],
  ['content is a token', 'vp.response.malformed', (p) => response(seal(p, { what: unsigned({ alg: 'none' }, content(p)) }))],
  ['content is a JWE again', 'vp.response.malformed', async (p) => response(seal(p, { what: await seal(p) }))],
  ['content is an array', 'vp.response.malformed', (p) => response(seal(p, { what: [content(p)] }))],
  ['content names a member twice', 'vp.response.malformed', (p) => response(seal(p, { what: `{"state":"x",${JSON.stringify(content(p)).slice(1)}` }))],
  ['no key named', 'jose.jwe.kid', (p) => response(seal(p, { header: { kid: undefined } }))],
  ['another key named', 'jose.jwe.kid', (p) => response(seal(p, { header: { kid: 'another' } }))],
  ['to another key under the name', 'jose.jwe.undecipherable', (p) => response(seal(p, { key: stranger }))],
  ['for another request', 'jose.jwe.kid', async (p) => response(seal(await prepare(p.asked, encrypted)))],
  ['a point outside the curve', 'jose.jwe.ephemeral', (p) => response(reheaded(p, { epk: offCurve }))],
  ['a point of another curve', 'jose.jwe.ephemeral', (p) => response(reheaded(p, { epk: { ...stranger, crv: 'P-384' } }))],
  ['no ephemeral key', 'jose.jwe.ephemeral', (p) => response(reheaded(p, { epk: undefined }))],
  ['a tag cut short', 'jose.jwe.length', (p) => response(cut(p, 4, (tag) => tag.slice(0, 16)))],
  ['a vector cut short', 'jose.jwe.length', (p) => response(cut(p, 2, (iv) => iv.slice(0, 8)))],
  ['an encrypted key beside the agreement', 'jose.jwe.length', (p) => response(cut(p, 1, () => 'AAAA'))],
  ['content changed', 'jose.jwe.undecipherable', (p) => response(cut(p, 3, (text) => flip(text, 100)))],
  ['five parts and one more', 'jose.jwe.parts', async (p) => response(`${await seal(p)}.x`)],
  ['no token at all', 'jose.jwe.parts', () => response('garbage')],
  ['state of nobody inside', 'vp.response.state', (p) => response(seal(p, { what: { ...content(p), state: 'AAAAAAAAAAAAAAAAAAAAAA' } }))],
  ['state outside only', 'vp.response.state', async (p) => ({ state: p.form.state, response: await seal(p, { what: { ...content(p), state: undefined } }) })],
  ['vp_token as text inside', 'vp.response.vp_token', (p) => response(seal(p, { what: { ...content(p), vp_token: p.form.vp_token } }))],
  ['no anchor proof inside', 'vp.response.anchor_missing', (p) => response(seal(p, { what: { ...content(p), xinfu_anchor: undefined } }))],
  ['holder signature stripped inside', 'kb_jwt.missing', (p) => response(seal(p, { what: { ...content(p), vp_token: { [p.id]: [p.sdJwt] } } }))],
  ['a token beyond the limit', 413, () => response('A'.repeat(2_000_000))],
];

async function expectRefusal(query, [name, expected, spoil], manner) {
  const parts = await prepare(query, manner);
  const answer = await post(parts.request.response_uri, await spoil(parts));
  const body = await answer.json().catch(() => ({}));
  const held = typeof expected === 'number' ? answer.status === expected
    : answer.status >= 400 && answer.status < 500 && typeof body.error === 'string'
      && body.code === expected;
  if (!held) throw new Error(`${name}: ${answer.status} ${JSON.stringify(body)}, expected ${expected}`);
  const { state } = await admin(`requests/${parts.made.id}`);
  if (state === 'verified') throw new Error(`${name}: refused, and yet verified`);
  console.log(`refused: ${name}: ${body.code ?? answer.status}`);
}

// ---- Once and only once ----

async function replay(query, manner) {
  const answer = async (parts) => (manner.response_mode === 'direct_post' ? parts.form : { response: await seal(parts) });
  const parts = await prepare(query, manner);
  const form = await answer(parts);
  const first = await post(parts.request.response_uri, form);
  const second = await post(parts.request.response_uri, form);
  const { code } = await second.json();
  if (first.status !== 200 || second.status < 400 || second.status >= 500 || code !== 'vp.response.replayed') throw new Error(`replay: ${first.status} ${second.status} ${code}`);
  const race = await prepare(query, manner);
  const raced = await answer(race);
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(race.request.response_uri, raced)));
  const accepted = answers.filter((answer) => answer.status === 200).length;
  if (accepted !== 1) throw new Error(`${accepted} of 8 concurrent answers were accepted`);
  console.log('once:', manner.response_mode, 'a replay is refused, and one of eight concurrent answers is accepted');
}

async function declined(query) {
  const parts = await prepare(query);
  const answer = await post(parts.request.response_uri, { state: parts.form.state, error: 'access_denied' });
  const verdict = await admin(`requests/${parts.made.id}`);
  if (answer.status !== 200 || verdict.state !== 'refused' || verdict.refusal.code !== 'vp.declined') throw new Error(`declined: ${answer.status} ${JSON.stringify(verdict)}`);
  console.log('declined: noted');
}

const { queries } = await admin('queries');
const configured = queries.find(({ dcql }) => dcql.credentials.length === 1 && dcql.credentials[0].meta.vct_values.includes(claims.vct));
const query = process.argv[3] ?? configured.name;
for (const manner of manners) await honest(query, manner);
// A wallet that does not know the type of our transaction data: the service may ask it without, if its official says so.
const unsignedPurpose = {
  query: configured.dcql, purpose: configured.purpose, anchor: 'required',
  basis: 'Sample regulations, article 1', retention_days: 30, holder_signs: false,
};
await honest(unsignedPurpose, plain);
await expectRefusal(unsignedPurpose, ['a purpose signed that was not asked for', 'kb_jwt.transaction_data', (p) => rebound(p, { payload: { transaction_data_hashes: [sha256('any')] } })], plain);
await declined(query);
for (const manner of manners) await replay(query, manner);
for (const mode of dishonest) await expectRefusal(query, mode, plain);
for (const mode of dishonestEncrypted) await expectRefusal(query, mode, encrypted);
// What holds under one name holds under the other.
for (const mode of dishonestEncrypted.slice(0, 3)) await expectRefusal(query, mode, manners.at(-1));
console.log(`PRESENT OK ${dishonest.length + dishonestEncrypted.length} dishonest ways refused`);
