// Runs in a realm of its own, in which all messages are parsed: their objects have this realm's
// Object.prototype, which answers as a Map does, while the script's own realm stays as the language
// has it. A property of a message is found before a method of that name.
(function (scriptGlobal, writeLog, scriptName) {
	'use strict';

	const { Object: ScriptObject, Array: ScriptArray, Map: ScriptMap, Set: ScriptSet,
		Promise: ScriptPromise, BigInt: ScriptBigInt } = scriptGlobal;
	const ordinaryHasInstance = Function.prototype[Symbol.hasInstance];
	const { defineProperty, getPrototypeOf, hasOwn, keys } = Object;
	const parse = JSON.parse, stringify = JSON.stringify;
	const messagePrototype = Object.prototype;

	// A descriptor must not inherit the get and set it is about to define.
	function define(target, name, fields) {
		const descriptor = Object.create(null);

		descriptor.configurable = true;
		for (const field of keys(fields))
			descriptor[field] = fields[field];
		defineProperty(target, name, descriptor);
	}

	function method(target, name, value) {
		const fields = Object.create(null);

		fields.value = value;
		fields.writable = true;
		define(target, name, fields);
	}

	function entriesOf(object) {
		return keys(object).map((key) => [key, object[key]]);
	}

	delete Object.prototype.__proto__;
	delete ScriptObject.prototype.__proto__;

	const mapMethods = {
		get(key) { return hasOwn(this, key) ? this[key] : undefined; },
		set(key, value) { this[key] = value; return this; },
		has(key) { return hasOwn(this, key); },
		delete(key) { return hasOwn(this, key) && delete this[key]; },
		clear() { for (const key of keys(this)) delete this[key]; },
		keys() { return keys(this)[Symbol.iterator](); },
		values() { return keys(this).map((key) => this[key])[Symbol.iterator](); },
		entries() { return entriesOf(this)[Symbol.iterator](); },
		forEach(call, self) {
			for (const key of keys(this))
				call.call(self, this[key], key, this);
		},
		[Symbol.iterator]() { return entriesOf(this)[Symbol.iterator](); },
	};
	const sizeAccessor = Object.create(null);
	sizeAccessor.get = function () { return keys(this).length; };
	sizeAccessor.set = function (value) {
		const fields = Object.create(null);

		fields.value = value;
		fields.writable = fields.enumerable = true;
		define(this, 'size', fields);
	};
	for (const name of [...keys(mapMethods), Symbol.iterator])
		method(messagePrototype, name, mapMethods[name]);
	define(messagePrototype, 'size', sizeAccessor);
	method(messagePrototype, 'constructor', ScriptObject);
	method(Array.prototype, 'constructor', ScriptArray);

	// `message instanceof Map` holds, as it does for the Java tool's maps.
	function admit(constructor, isOne) {
		method(constructor, Symbol.hasInstance, function (value) {
			return (this === constructor && typeof value === 'object' && value !== null &&
				isOne(value)) || ordinaryHasInstance.call(this, value);
		});
	}
	admit(ScriptMap, (value) => getPrototypeOf(value) === messagePrototype);
	admit(ScriptObject, () => true);
	admit(ScriptArray, (value) => Array.isArray(value));

	function mapToObject() {
		const object = {};

		for (const [key, value] of this.entries())
			object[key] = value;
		return object;
	}
	method(ScriptMap.prototype, 'toJSON', mapToObject);
	method(ScriptSet.prototype, 'toJSON', function () { return [...this]; });
	method(ScriptPromise.prototype, 'toJSON', function () {
		throw new TypeError('a promise is left inside what the script returned; await it');
	});
	// A primitive finds the method of the realm that writes it.
	function bigIntToJSON() {
		const digits = BigInt.prototype.toString.call(this);

		if (JSON.rawJSON)
			return JSON.rawJSON(digits);
		if (String(Number(digits)) !== digits)
			throw new TypeError('a BigInt cannot be written as JSON here; make it a string');
		return Number(digits);
	}
	method(BigInt.prototype, 'toJSON', bigIntToJSON);
	method(ScriptBigInt.prototype, 'toJSON', bigIntToJSON);

	function asText(value) {
		if (typeof value === 'string')
			return value;
		try {
			const text = typeof value === 'object' ? stringify(value) : undefined;

			return text === undefined ? String(value) : text;
		} catch {
			return Object.prototype.toString.call(value);
		}
	}

	const say = (...values) => writeLog(values.map(asText).join(' '));
	for (const name of ['log', 'info', 'debug', 'warn', 'error', 'trace'])
		method(scriptGlobal.console, name, say);

	function describe(error) {
		const isObject = typeof error === 'object' && error !== null;
		const text = isObject && 'message' in error ? String(error) : asText(error);
		const marks = isObject && typeof error.stack === 'string' ? error.stack.split('\n') : [];
		const frame = marks.find((mark) => mark.includes(scriptName + ':'));
		const place = frame && frame.slice(frame.lastIndexOf(scriptName + ':'));

		if (place)
			return text + ' (' + place + ')';
		if (isObject && error.sourceURL === scriptName && error.line)
			return text + ' (' + scriptName + ':' + error.line + ')';
		return text;
	}

	function isThenable(value) {
		return typeof value === 'object' && value !== null && typeof value.then === 'function';
	}

	const nothing = 'an empty list is how a message is dropped';
	function nameOf(value) {
		return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
	}

	function textOf(result) {
		if (result === undefined || result === null)
			throw new TypeError('the script returned ' + result + '; ' + nothing);
		if (typeof result !== 'object')
			throw new TypeError('the script returned a ' + typeof result +
				', not an object or a list of objects');
		if (!Array.isArray(result))
			return stringify(result);
		result.forEach((one, i) => {
			if (typeof one !== 'object' || one === null || Array.isArray(one))
				throw new TypeError('the script returned a list with ' + nameOf(one) +
					' at ' + i + ', not only objects');
		});
		return stringify(result.length === 1 ? result[0] : result);
	}

	// What a call came to: a value at once, or a promise that settles once all jobs have run.
	let pending = null;
	function allOf(value) {
		return Array.isArray(value) && value.some(isThenable) ? ScriptPromise.all(value) : value;
	}
	function settle(value, finish) {
		const waits = isThenable(value) ? value.then(allOf) : allOf(value);

		if (!isThenable(waits))
			return finish(value);
		const mine = pending = { done: false };
		waits.then((result) => { mine.done = true; mine.value = result; },
			(error) => { mine.done = mine.failed = true; mine.value = error; });
		mine.finish = finish;
		return undefined;
	}

	let transform = null, takesList = false;
	return {
		describe,
		// The text of the result, or undefined when `settled` is to be asked for it.
		run(text) {
			const message = parse(text);

			pending = null;
			return settle(transform(takesList ? [message] : message), textOf);
		},
		settled() {
			const was = pending;

			pending = null;
			if (!was || !was.done)
				throw new TypeError('the promise that the script returned never settles');
			if (was.failed)
				throw was.value;
			return was.finish(was.value);
		},
		start(main, text) {
			const options = parse(text);

			takesList = options.list;
			if (typeof main !== 'function')
				throw new TypeError('the script ends with ' + nameOf(main) + ', not with the ' +
					'function main that is called with the bindings');
			return settle(main(options.bindings), (made) => {
				if (typeof made !== 'function')
					throw new TypeError('main returned ' + nameOf(made) +
						', not the function that is called with each message');
				transform = made;
				return '';
			});
		},
	};
})
