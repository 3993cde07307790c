-- One call gives a chunk all its ids; what a chunk leaves over is not used again.
SELECT restore_epoch, nextval('id_block') FROM numbering;
