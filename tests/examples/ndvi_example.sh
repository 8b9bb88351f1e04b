# Step 1: Submit the job
curl -X POST "https://astraos.cloud/api/v1/process" \
  -H "Authorization: Bearer astra_sk_live_your_key_here" \
  -H "Content-Type: application/json" \
  -d '{
    "operation": "ndvi",
    "scene_ids": ["sentinel-2:S2B_MSIL2A_20250115T184929"],
    "params": { "colormap": "rdylgn" }
  }'

# Response: { "job_id": "job_abc123", "status": "queued", ... }

# Step 2: Poll for status
curl "https://astraos.cloud/api/v1/process/job_abc123" \
  -H "Authorization: Bearer astra_sk_live_your_key_here"

# Response when complete:
# { "job_id": "job_abc123", "status": "completed", "result": { "href": "https://..." } }
