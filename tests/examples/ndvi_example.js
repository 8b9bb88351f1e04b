const API_KEY = "astra_sk_live_your_key_here";
const BASE = "https://astraos.cloud/api/v1";
const headers = { Authorization: `Bearer ${API_KEY}` };

// Step 1: Submit the job
const submitRes = await fetch(`${BASE}/process`, {
  method: "POST",
  headers: { ...headers, "Content-Type": "application/json" },
  body: JSON.stringify({
    operation: "ndvi",
    scene_ids: ["sentinel-2:S2B_MSIL2A_20250115T184929"],
    params: { colormap: "rdylgn" },
  }),
});
let job = await submitRes.json();
console.log(`Job submitted: ${job.job_id} (status: ${job.status})`);

// Step 2: Poll until complete
while (job.status === "queued" || job.status === "processing") {
  await new Promise((r) => setTimeout(r, 3000));
  const pollRes = await fetch(`${BASE}/process/${job.job_id}`, { headers });
  job = await pollRes.json();
  console.log(` Status: ${job.status}`);
}

// Step 3: Use the result
if (job.status === "completed") {
  console.log(`Result URL: ${job.result.href}`);
} else {
  console.error(`Job failed: ${job.error?.message}`);
}
