// The other side of oauth.sh: the certified server `oidc-provider` as an identity service, and a door before a sandbox
// that opens to its access tokens alone. The door is needed because a sandbox knows only the tokens of its own.
//
//   node provider.mjs SANDBOX USER PASSWORD FOLDER
//
// Writes its address to FOLDER/provider.address, a line per token answer and per request of the pod to
// FOLDER/provider.log, and each secret, in each form in which it could be seen, to FOLDER/tokens. The secret of its
// confidential client is in CLIENT_SECRET. What a test needs of it beyond that, the test asks for under /test/.
import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import Provider from '../../.tools/node_modules/oidc-provider/lib/index.js';

const [sandbox, user, password, folder] = process.argv.slice(2);
const scope = 'urn:opc:serviceInstanceID=687065603urn:opc:resource:consumer::all offline_access';
const grants = ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'];
const device = { grant_types: grants, response_types: [], redirect_uris: [], application_type: 'native' };
const life = { access: 3600, device: 600 };
const issued = []; // access tokens, in the order in which they were handed out
const refreshers = []; // refresh tokens, likewise
let slowness = 0; // ms that a token answer takes after the tokens in it are valid
let held; // while a test holds token answers back: what lets them go

const server = createServer(answer).listen(0, '127.0.0.1');
await new Promise((listening) => server.once('listening', listening));
const address = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(address, {
  clients: [
    { ...device, client_id: 'close-public', token_endpoint_auth_method: 'none' },
    { ...device, client_id: 'close-confidential', client_secret: process.env.CLIENT_SECRET },
  ],
  cookies: { keys: ['of no use to anybody'] },
  features: { deviceFlow: { enabled: true } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: true,
  routes: { token: '/oauth2/v1/token', device_authorization: '/oauth2/v1/device' },
  scopes: scope.split(' '),
  ttl: { AccessToken: () => life.access, DeviceCode: () => life.device, RefreshToken: 7 * 24 * 3600 },
});
provider.use(keepAndHold);
const offered = provider.callback();
const { CLIENT_SECRET: secret } = process.env;
isSecret(secret, `close-confidential:${secret}`, `close-confidential:${encodeURIComponent(secret)}`);
writeFileSync(`${folder}/provider.address`, `${address}\n`);

function note(line) {
  appendFileSync(`${folder}/provider.log`, `${line}\n`);
}

// Writes each form down in which a secret could be seen.
function isSecret(...texts) {
  for (const text of texts.flatMap((text) => [text, encodeURIComponent(text)])) {
    appendFileSync(`${folder}/tokens`, `${text}\n${btoa(text).replace(/=+$/, '')}\n`);
  }
}

async function answer(incoming, response) {
  const url = new URL(incoming.url, address);
  if (url.pathname.startsWith('/test/')) await obey(url, response);
  else if (url.pathname.startsWith('/aif/')) await letIn(incoming, response);
  else offered(incoming, response);
}

// Notes what the identity service answers to the gate, and holds it back where a test says so.
async function keepAndHold(context, next) {
  await next();
  const { body, oidc, status } = context;
  if (oidc?.route === 'device_authorization' && status === 200) {
    isSecret(body.device_code);
    body.interval = 1; // the server would leave it at the five seconds of RFC 8628
  }
  if (oidc?.route !== 'token') return;
  if (body.access_token) {
    isSecret(body.access_token, body.refresh_token);
    issued.push(body.access_token);
    refreshers.push(body.refresh_token);
  }
  note(`answer ${oidc.params.grant_type.split(':').at(-1)} ${status} ${body.error ?? `token ${issued.length}`}`);
  context.res.once('finish', () => note('answered'));
  await new Promise((go) => { setTimeout(go, slowness); });
  if (held) await held.until;
}

// Passes a request with a valid access token on to the sandbox, and says 401 to any other.
async function letIn(incoming, response) {
  const { method, url } = incoming;
  const token = incoming.headers.authorization?.replace(/^Bearer /, '') ?? '';
  if (!await provider.AccessToken.find(token)) {
    note(`pod ${method} ${url} 401`);
    response.writeHead(401, { 'WWW-Authenticate': 'Bearer error="invalid_token", error_description="Token Expired"' });
    response.end();
    return;
  }
  note(`pod ${method} ${url} token ${issued.indexOf(token) + 1}`);
  const headers = { ...incoming.headers, authorization: `Basic ${btoa(`${user}:${password}`)}` };
  incoming.pipe(request(new URL(url, sandbox), { method, headers }, (reply) => {
    response.writeHead(reply.statusCode, reply.headers);
    reply.pipe(response);
  }).on('error', () => response.destroy()));
}

// A refresh token as after a login of long ago.
async function seed(clientId) {
  const client = await provider.Client.find(clientId);
  const grant = new provider.Grant({ accountId: 'close.bot', clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const token = new provider.RefreshToken({ accountId: 'close.bot', client, grantId, gty: grants[0], scope });
  const value = await token.save();
  isSecret(value);
  refreshers.push(value);
  return value;
}

async function destroy(tokens) {
  for (const [kind, values] of Object.entries(tokens)) {
    for (const value of values) await (await provider[kind].find(value))?.destroy();
  }
}

const orders = {
  seed: (query) => seed(query.get('client')),
  life: (query) => { life[query.get('of')] = Number(query.get('seconds')); },
  slowness: (query) => { slowness = Number(query.get('ms')); },
  hold: () => { held = {}; held.until = new Promise((go) => { held.release = go; }); },
  release: () => { held.release(); held = undefined; },
  'expire-access': () => destroy({ AccessToken: issued }),
  revoke: () => destroy({ AccessToken: issued, RefreshToken: refreshers }),
};

async function obey(url, response) {
  const said = await orders[url.pathname.replace('/test/', '')](url.searchParams);
  response.end(said ?? '');
}
