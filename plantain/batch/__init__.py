"""Many images at half the price: Vertex AI batch prediction, prepared, submitted, watched, fetched.

Limits and behaviour: docs.cloud.google.com/gemini-enterprise-agent-platform/models/capabilities/batch-inference (read
2026-08). A job takes 200,000 requests and 1 GB, makes images in the default size only, promises no order, keeps no ids.
"""
