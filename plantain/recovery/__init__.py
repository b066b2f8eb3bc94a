"""After an update that was killed, or lost an answer: what Google Cloud has by now and the state lacks."""
