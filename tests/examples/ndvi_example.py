import requests
import time

API_KEY = "astra_sk_live_your_key_here"
BASE = "https://astraos.cloud/api/v1"
headers = {"Authorization": f"Bearer {API_KEY}"}

# Step 1: Submit the job
job = requests.post(
    f"{BASE}/process",
    headers={**headers, "Content-Type": "application/json"},
    json={
        "operation": "ndvi",
        "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"],
        "params": {"colormap": "rdylgn"},
    },
).json()

print(f"Job submitted: {job['job_id']} (status: {job['status']})")

# Step 2: Poll until complete
while job["status"] in ("queued", "processing"):
    time.sleep(3)
    job = requests.get(
        f"{BASE}/process/{job['job_id']}",
        headers=headers,
    ).json()
    print(f" Status: {job['status']}")

# Step 3: Download result
if job["status"] == "completed":
    url = job["result"]["href"]
    print(f"Downloading NDVI result from: {url}")

    import urllib.request
    urllib.request.urlretrieve(url, "ndvi_output.tif")
    print("Saved to ndvi_output.tif")
else:
    print(f"Job failed: {job.get('error', {}).get('message', 'Unknown error')}")
