// `/dbconn help` with the official framework: the same text in the same acknowledgement.
import bolt from '@slack/bolt';

const { App, SocketModeReceiver, LogLevel } = bolt;
const clientOptions = { slackApiUrl: process.env.SLACK_API_URL };
const receiver = new SocketModeReceiver({
  appToken: process.env.SLACK_APP_TOKEN,
  logLevel: LogLevel.ERROR,
  installerOptions: { clientOptions },
});
const app = new App({
  receiver,
  token: process.env.SLACK_BOT_TOKEN,
  clientOptions,
  logLevel: LogLevel.ERROR,
});
const help = `Give me a Sentry issue in which a database refused the connection. I look at its \
events, releases, code changes and logs, and answer in a thread here: the likely cause, why I \
think so, and what to do now.

• \`/dbconn SHOP-1A2\`: look into an issue. Its number or its Sentry link will do too
• \`/dbconn status\`: what I am looking into, and what waits
• \`/dbconn cancel SHOP-1A2\`: stop looking into it
• \`/dbconn history SHOP-1A2\`: what I said before; also for a host, as in \`/dbconn history \
db-1\`, or alone
• \`/dbconn help\`: this text, which only you see`;

app.command('/dbconn', async ({ ack }) => {
  await ack({ response_type: 'ephemeral', text: help });
});
process.on('SIGTERM', () => process.exit(0));
await app.start();
