// Asks for a job with fetch until it is finished, and ends by what it says: JOB_ID [SECONDS between two polls].
const { EPM_URL, EPM_USERNAME, EPM_PASSWORD } = process.env;
const [job, seconds] = process.argv.slice(2);
const authorization = `Basic ${Buffer.from(`${EPM_USERNAME}:${EPM_PASSWORD}`).toString("base64")}`;
for (;;) {
  const answer = await fetch(`${EPM_URL}/aif/rest/V1/jobs/${job}`, { headers: { authorization } });
  if (!answer.ok) throw new Error(`EPM said ${answer.status}`);
  const { status } = await answer.json();
  if (status !== -1) process.exit(status === 0 ? 0 : 10);
  await new Promise((wake) => setTimeout(wake, seconds * 1000));
}
