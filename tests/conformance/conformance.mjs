// Slack's own Node clients against the sandbox: what they accept, Slack's servers would say too.
// Usage: node conformance.mjs [path of dbconn-sandbox]
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import assert from 'node:assert/strict';
import { SocketModeClient, LogLevel } from '@slack/socket-mode';
import { WebClient, ErrorCode, WebClientEvent } from '@slack/web-api';

const require = createRequire(import.meta.url);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const program = process.argv[2] ?? here('../../build/dbconn-sandbox');
const DEADLINE_MS = 15000;

// ---- the sandbox ----

function startSandbox() {
  const child = spawn(program, ['--stdin', here('workspace.json')], { stdio: ['pipe', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the sandbox ended with ${code}`)));
    child.stdout.on('data', (bytes) => {
      text += bytes;
      if (text.includes('\n')) resolve({ ...JSON.parse(text.split('\n')[0]), child });
    });
  });
}

const sandbox = await startSandbox();
const { SLACK_API_URL, SLACK_APP_TOKEN, SLACK_BOT_TOKEN } = sandbox.env;
const CHANNEL = sandbox.channel;

async function control(path, body) {
  const reply = await fetch(sandbox.control + path, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
  const json = await reply.json();
  assert.equal(reply.status, 200, `${path}: ${JSON.stringify(json)}`);
  return json;
}

// ---- helpers ----

const within = (promise, what) => {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${what}: not within ${DEADLINE_MS} ms`)), DEADLINE_MS)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};
const once = (emitter, event) => within(new Promise((resolve) => emitter.once(event, resolve)), event);
async function until(condition, what) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < end, `${what}: not within ${DEADLINE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const quiet = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => LogLevel.ERROR, setName() {} };
const web = new WebClient(SLACK_BOT_TOKEN, { slackApiUrl: SLACK_API_URL, logger: quiet });
const openSockets = [];
function socketClient(options = {}) {
  const client = new SocketModeClient({
    appToken: SLACK_APP_TOKEN, logger: quiet, clientPingTimeout: 300, ...options,
    clientOptions: { slackApiUrl: SLACK_API_URL, ...options.clientOptions },
  });
  openSockets.push(client);
  return client;
}
async function connected(options) {
  const client = socketClient(options);
  await within(client.start(), 'hello');
  return client;
}
const envelope = async (id) => (await control(`/envelopes?id=${id}`))[0];
const acknowledged = (id) => until(async () => { const e = await envelope(id); return e.acknowledged && e; }, 'an acknowledgement');
const errorOf = async (promise) => {
  try { await promise; } catch (error) { return error; }
  return assert.fail('the call should have been refused');
};

// ---- the tests, in order ----

const tests = [];
const test = (name, run) => tests.push({ name, run });

test('apps.connections.open gives an address and the socket says hello', async () => {
  const client = await connected();
  assert.equal((await control('/sockets')).length, 1);
  await client.disconnect();
});

test('a bot token is refused by apps.connections.open, and the client gives up', async () => {
  const error = await errorOf(socketClient({ appToken: SLACK_BOT_TOKEN, autoReconnectEnabled: false }).start());
  assert.equal(error.data.error, 'not_allowed_token_type');
});

test('a slash command arrives and its acknowledgement is seen, with the answer it carries', async () => {
  const client = await connected();
  const arrival = once(client, 'slash_commands');
  const sent = await control('/command', { text: 'SHOP-1A2' });
  const { ack, body, envelope_id } = await arrival;
  assert.equal(envelope_id, sent.envelope_id);
  assert.equal(body.command, '/dbconn');
  assert.equal(body.text, 'SHOP-1A2');
  assert.equal(body.trigger_id, sent.trigger_id);
  await ack({ text: 'Looking into it.' });
  const seen = await acknowledged(envelope_id);
  assert.ok(seen.ack_ms < 3000);
  assert.equal(seen.answer.text, 'Looking into it.');
  const state = await control(`/state?channel=${CHANNEL}`);
  assert.equal(state.messages.at(-1).shown_to, body.user_id);
  await client.disconnect();
});

test('an empty acknowledgement shows nothing', async () => {
  const client = await connected();
  const arrival = once(client, 'slash_commands');
  const before = (await control(`/state?channel=${CHANNEL}`)).messages.length;
  await control('/command', { text: 'SHOP-1A2' });
  const { ack, envelope_id } = await arrival;
  await ack();
  await acknowledged(envelope_id);
  assert.equal((await control(`/state?channel=${CHANNEL}`)).messages.length, before);
  await client.disconnect();
});

test('a mention arrives as app_mention and message with one ts and two event ids', async () => {
  const client = await connected();
  const mention = once(client, 'app_mention');
  const message = once(client, 'message');
  await control('/mention', { text: 'please look at SHOP-1A2' });
  const [a, b] = await Promise.all([mention, message]);
  await a.ack();
  await b.ack();
  assert.equal(a.event.ts, b.event.ts);
  assert.notEqual(a.body.event_id, b.body.event_id);
  assert.equal(a.retry_num, 0);
  await client.disconnect();
});

test('messages are posted, answered in a thread, changed, and found again with their metadata', async () => {
  const root = await web.chat.postMessage({ channel: CHANNEL, text: 'Investigating', metadata: { event_type: 'run', event_payload: { job: 'j-1' } } });
  assert.match(root.ts, /^\d+\.\d{6}$/);
  const reply = await web.chat.postMessage({
    channel: CHANNEL, thread_ts: root.ts, text: 'Step 1',
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text: '*Step 1* done' } }],
    metadata: { event_type: 'step', event_payload: { job: 'j-1', part: 1 } },
  });
  assert.equal(reply.message.thread_ts, root.ts);
  const changed = await web.chat.update({ channel: CHANNEL, ts: reply.ts, text: 'Step 1 and 2' });
  assert.equal(changed.text, 'Step 1 and 2');
  const thread = await web.conversations.replies({ channel: CHANNEL, ts: root.ts, include_all_metadata: true });
  assert.deepEqual(thread.messages.map((m) => m.text), ['Investigating', 'Step 1 and 2']);
  assert.equal(thread.messages[1].metadata.event_payload.part, 1);
  assert.equal(thread.messages[1].blocks, undefined, 'text without blocks removes the blocks');
  const bare = await web.conversations.replies({ channel: CHANNEL, ts: root.ts });
  assert.equal(bare.messages[1].metadata, undefined);
  const history = await web.conversations.history({ channel: CHANNEL, limit: 1, include_all_metadata: true });
  assert.equal(history.messages[0].ts, root.ts);
  const link = await web.chat.getPermalink({ channel: CHANNEL, message_ts: reply.ts });
  assert.match(link.permalink, /thread_ts=/);
});

test('pages are followed by cursor', async () => {
  const root = await web.chat.postMessage({ channel: CHANNEL, text: 'pages' });
  await control('/limits', { lifted: true });
  for (let i = 0; i < 5; i++) await web.chat.postMessage({ channel: CHANNEL, thread_ts: root.ts, text: `reply ${i}` });
  await control('/limits', { lifted: false });
  const texts = [];
  for await (const page of web.paginate('conversations.replies', { channel: CHANNEL, ts: root.ts, limit: 2 })) texts.push(...page.messages.map((m) => m.text));
  assert.deepEqual(texts, ['pages', 'reply 0', 'reply 1', 'reply 2', 'reply 3', 'reply 4']);
});

test('429 comes with Retry-After, which the client waits for', async () => {
  let limited = 0;
  const client = new WebClient(SLACK_BOT_TOKEN, { slackApiUrl: SLACK_API_URL, logger: quiet });
  client.on(WebClientEvent.RATE_LIMITED, (seconds) => { limited++; assert.ok(seconds >= 1); });
  await control('/limits', { post_burst: 1 });
  await client.chat.postMessage({ channel: 'C0SHARED01', text: 'one' });
  await client.chat.postMessage({ channel: 'C0SHARED01', text: 'two' });
  await control('/limits', { post_burst: 4 });
  assert.equal(limited, 1);
  const calls = await control('/calls?method=chat.postMessage&channel=C0SHARED01');
  assert.deepEqual(calls.map((c) => c.status), [200, 429, 200]);
});

test('a 429 that is not to be waited for is a RateLimitedError', async () => {
  const client = new WebClient(SLACK_BOT_TOKEN, { slackApiUrl: SLACK_API_URL, logger: quiet, rejectRateLimitedCalls: true });
  await control('/faults', { slack: [{ path: 'chat.update', first: 1, status: 429, retry_after: 30 }] });
  const error = await errorOf(client.chat.update({ channel: CHANNEL, ts: '1.000000', text: 'x' }));
  assert.equal(error.code, ErrorCode.RateLimitedError);
  assert.equal(error.retryAfter, 30);
  await control('/faults', {});
});

test('invalid blocks are refused with a pointer to what is wrong', async () => {
  const error = await errorOf(web.chat.postMessage({ channel: CHANNEL, text: 'x', blocks: [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }] }));
  assert.equal(error.data.error, 'invalid_blocks');
  assert.match(error.data.response_metadata.messages[0], /json-pointer:\/blocks\/0\/text\/text/);
});

test('channels answer by what they are', async () => {
  const refused = async (channel) => (await errorOf(web.chat.postMessage({ channel, text: 'x' }))).data.error;
  assert.equal(await refused('C0ARCHIVED'), 'is_archived');
  assert.equal(await refused('C0HIDDEN01'), 'channel_not_found');
  assert.equal(await refused('D0PEOPLE01'), 'channel_not_found');
  assert.equal((await web.chat.postMessage({ channel: 'C0RANDOM01', text: 'chat:write.public' })).ok, true);
  assert.equal((await web.conversations.info({ channel: 'C0SHARED01' })).channel.is_ext_shared, true);
  const joined = await web.conversations.join({ channel: CHANNEL });
  assert.equal(joined.warning, 'already_in_channel');
});

test('a missing scope is named, a revoked token is said to be one', async () => {
  await control('/config', { scopes: 'chat:write' });
  const missing = await errorOf(web.reactions.add({ channel: CHANNEL, name: 'eyes', timestamp: '1.000000' }));
  assert.equal(missing.data.error, 'missing_scope');
  assert.equal(missing.data.needed, 'reactions:write');
  const { env } = await control('/env');
  assert.equal(env.SLACK_BOT_TOKEN, SLACK_BOT_TOKEN);
  await control('/config', { bot_token_error: 'token_revoked' });
  assert.equal((await errorOf(web.auth.test())).data.error, 'token_revoked');
  await control('/config', { bot_token_error: null, scopes: 'chat:write,chat:write.public,files:write,files:read,reactions:write,channels:read,channels:history,channels:join,users:read,im:write' });
  assert.equal((await web.auth.test()).user_id, sandbox.bot_user_id);
});

test('a button press arrives, a modal opens with its trigger once, its submission is answered', async () => {
  const client = await connected();
  const posted = await web.chat.postMessage({ channel: CHANNEL, text: 'with a button', blocks: [{ type: 'actions', elements: [{ type: 'button', action_id: 'details', text: { type: 'plain_text', text: 'Details' }, value: 'j-1' }] }] });
  let arrival = once(client, 'interactive');
  await control('/click', { action_id: 'details' });
  const click = await arrival;
  await click.ack();
  assert.equal(click.body.type, 'block_actions');
  assert.equal(click.body.container.message_ts, posted.ts);
  assert.equal(click.body.actions[0].value, 'j-1');
  const view = { type: 'modal', title: { type: 'plain_text', text: 'Details' }, submit: { type: 'plain_text', text: 'Send' }, blocks: [{ type: 'input', block_id: 'b', label: { type: 'plain_text', text: 'Cause' }, element: { type: 'plain_text_input', action_id: 'a' } }] };
  const opened = await web.views.open({ trigger_id: click.body.trigger_id, view });
  assert.equal((await errorOf(web.views.open({ trigger_id: click.body.trigger_id, view }))).data.error, 'exchanged_trigger_id');
  arrival = once(client, 'interactive');
  await control('/submit', { view_id: opened.view.id, values: { b: { a: { type: 'plain_text_input', value: 'disk' } } } });
  const submission = await arrival;
  assert.equal(submission.body.view.state.values.b.a.value, 'disk');
  await submission.ack({ response_action: 'errors', errors: { b: 'no' } });
  await acknowledged(submission.envelope_id);
  assert.equal((await control('/views')).length, 1, 'errors keep the modal open');
  await client.disconnect();
});

test('a file goes up in three steps and is shown', async () => {
  const done = await web.filesUploadV2({ channel_id: CHANNEL, filename: 'chart.png', file: Buffer.from('\x89PNG pretended'), title: 'Chart' });
  const id = done.files[0].files[0].id;
  const state = await control(`/state?channel=${CHANNEL}`);
  assert.equal(state.messages.at(-1).files[0].id, id);
});

test('a stream starts, grows and stops, and cannot grow afterwards', async () => {
  const root = await web.chat.postMessage({ channel: CHANNEL, text: 'stream' });
  const target = { channel: CHANNEL, thread_ts: root.ts };
  assert.equal((await errorOf(web.apiCall('chat.startStream', target))).data.error, 'missing_recipient_user_id');
  const started = await web.apiCall('chat.startStream', { ...target, recipient_user_id: 'U0RAINER01', recipient_team_id: 'T0DBCONN01', chunks: [{ type: 'task_update', id: 't', title: 'Read', status: 'in_progress' }] });
  await web.apiCall('chat.appendStream', { channel: CHANNEL, ts: started.ts, chunks: [{ type: 'task_update', id: 't', title: 'Read', status: 'complete' }] });
  assert.equal((await errorOf(web.chat.update({ channel: CHANNEL, ts: started.ts, text: 'x' }))).data.error, 'streaming_state_conflict');
  await web.apiCall('chat.stopStream', { channel: CHANNEL, ts: started.ts });
  assert.equal((await errorOf(web.apiCall('chat.appendStream', { channel: CHANNEL, ts: started.ts, chunks: [{ type: 'plan_update', title: 'late' }] }))).data.error, 'message_not_in_streaming_state');
});

test('the server pings, and the client stays connected by it', async () => {
  await control('/config', { ping_ms: 100 });
  const client = await connected({ serverPingTimeout: 400 });
  let closed = false;
  client.on('close', () => (closed = true));
  const start = Date.now();
  await until(() => Date.now() - start > 1000, 'a second');
  assert.equal(closed, false);
  await control('/config', { ping_ms: 10000 });
  await client.disconnect();
});

test('warning and refresh_requested make the client reconnect, and commands arrive again', async () => {
  const client = await connected();
  const again = once(client, 'reconnecting');
  const asked = (await control('/calls?method=apps.connections.open')).length;
  await control('/refresh', { delay_ms: 200 });
  await again;
  await once(client, 'connected');
  assert.equal((await control('/calls?method=apps.connections.open')).length, asked + 1);
  const arrival = once(client, 'slash_commands');
  await control('/command', { text: 'after the refresh' });
  const { ack, envelope_id } = await arrival;
  await ack();
  await acknowledged(envelope_id);
  await client.disconnect();
});

test('what was not acknowledged comes again on the next connection', async () => {
  const client = await connected();
  const first = once(client, 'slash_commands');
  const sent = await control('/command', { text: 'unacknowledged' });
  await first;
  const second = once(client, 'slash_commands');
  await control('/disconnect', { reason: 'cut' });
  const { ack, body, envelope_id } = await second;
  assert.equal(body.trigger_id, sent.trigger_id);
  await ack();
  assert.equal((await acknowledged(envelope_id)).deliveries, 2);
  await client.disconnect();
});

test('a second connection is counted in hello, the eleventh is turned away', async () => {
  await until(async () => (await control('/sockets')).length === 0, 'all sockets closed');
  const clients = [];
  for (let i = 0; i < 10; i++) clients.push(await connected());
  assert.equal((await control('/sockets')).length, 10);
  const surplus = socketClient({ autoReconnectEnabled: false });
  const turnedAway = errorOf(within(surplus.start(), 'the end'));
  await turnedAway;
  for (const client of clients) await client.disconnect();
});

test('a client that behaves leaves no note', async () => {
  // filesUploadV2 of the Node client sends its token to the upload URL; nobody else should.
  const notes = (await control('/notes')).filter((note) => !note.startsWith('an upload carried an Authorization header'));
  assert.deepEqual(notes, []);
});

// ---- run ----

console.log(`node ${process.version}, @slack/socket-mode ${require('@slack/socket-mode/package.json').version}, @slack/web-api ${require('@slack/web-api/package.json').version}`);
let passed = 0, failed = 0;
for (const { name, run } of tests) {
  try {
    await run();
    passed++;
    console.log(`ok   ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${name}\n     ${String(error.stack ?? error).split('\n').slice(0, 6).join('\n     ')}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
for (const client of openSockets) client.disconnect().catch(() => {});
sandbox.child.removeAllListeners('exit');
sandbox.child.stdin.end();
setTimeout(() => process.exit(failed ? 1 : 0), 200);
