"""The audit of images: bytes match their digest, the record is complete, the AI mark is there, C2PA is as recorded."""
