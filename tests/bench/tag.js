// The trivial script that is measured, by the bare engine and as a transformer.
const tag = (document) => {
	document.cluster = 'berlin';
	document.level = document.level.toLowerCase();
	document.slow = document.duration_ms > 1000;
};

(() => (documents) => {
	for (const message of documents)
		tag(message.document);
	return documents;
})
