import STUN
import Testing

@Suite struct ReaderTests {
    @Test("a header alone is a message")
    func empty() throws {
        let read = try #require(STUNMessage(message([])))
        #expect(read.kind == .request && read.method == 1 && read.transaction == transaction)
        #expect(!read.isSigned && !read.hasFingerprint && read.username == nil)
    }

    @Test("kind and method are taken out of the type's mixed bits, and are written there again")
    func types() throws {
        // Bits 4 and 8 are the kind, the others in their order the method (RFC 8489 section 5, figure 3).
        let places = [0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 12, 13]
        let kinds: [STUNMessage.Kind] = [.request, .indication, .success, .failure]
        for type in 0..<0x4000 {
            let method = places.enumerated().reduce(0) { $0 | (type >> $1.element & 1) << $1.offset }
            let bytes = message([], type: UInt16(type))
            let read = try #require(STUNMessage(bytes))
            guard Int(read.method) == method, read.kind == kinds[(type >> 8 & 1) << 1 | type >> 4 & 1],
                STUNWriter(read.kind, transaction, method: read.method).bare() == bytes
            else {
                Issue.record("type \(type)")
                return
            }
        }
    }

    @Test(
        "what is no STUN message is refused",
        arguments: [
            ("first bits", hex(("type", "8001"), ("length", "0000"), ("cookie", "2112a442"), ("id", "000000000000000000000000"))),
            ("other first bit", hex(("type", "4001"), ("length", "0000"), ("cookie", "2112a442"), ("id", "000000000000000000000000"))),
            ("cookie", hex(("type", "0001"), ("length", "0000"), ("cookie", "2112a443"), ("id", "000000000000000000000000"))),
            ("length too small", message([0x80, 0x22, 0, 0]).with(3, 0)),
            ("length too large", message([0x80, 0x22, 0, 0]).with(3, 8)),
            ("length no multiple of 4", message([0x80, 0x22, 0])),
            ("short", [UInt8](message([]).dropLast())),
            ("nothing", []),
            ("attribute over the end", message([0x80, 0x22, 0, 5, 1, 2, 3, 4])),
            ("attribute far over the end", message([0x80, 0x22, 0xff, 0xff])),
            ("behind FINGERPRINT", message([0x80, 0x28, 0, 4, 0, 0, 0, 0, 0x80, 0x22, 0, 0])),
            ("FINGERPRINT of 8 bytes", message([0x80, 0x28, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0])),
            ("MESSAGE-INTEGRITY of 16 bytes", message([0, 8, 0, 16] + [UInt8](repeating: 0, count: 16))),
            ("MESSAGE-INTEGRITY of 19 bytes", message([0, 8, 0, 19] + [UInt8](repeating: 0, count: 20))),
            ("PRIORITY of 8 bytes", message([0, 0x24, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0])),
            ("USE-CANDIDATE with a value", message([0, 0x25, 0, 4, 0, 0, 0, 0])),
            ("ICE-CONTROLLING of 4 bytes", message([0x80, 0x2a, 0, 4, 0, 0, 0, 0])),
            ("ICE-CONTROLLED of 4 bytes", message([0x80, 0x29, 0, 4, 0, 0, 0, 0])),
            ("USERNAME of 509 bytes", message([0, 6, 1, 0xfd] + [UInt8](repeating: 97, count: 512))),
            ("ERROR-CODE of 2 bytes", message([0, 9, 0, 2, 0, 0, 0, 0])),
            ("ERROR-CODE 200", message([0, 9, 0, 4, 0, 0, 2, 0])),
            ("ERROR-CODE 700", message([0, 9, 0, 4, 0, 0, 7, 0])),
            ("ERROR-CODE 4 and 100", message([0, 9, 0, 4, 0, 0, 4, 100])),
        ])
    func refused(name: String, bytes: [UInt8]) {
        #expect(STUNMessage(bytes) == nil, "\(name)")
    }

    @Test("USERNAME of 508 bytes is read")
    func longUsername() throws {
        let bytes = message([0, 6, 1, 0xfc] + [UInt8](repeating: 97, count: 508))
        let read = try #require(STUNMessage(bytes))
        #expect(read.username?.count == 508)
    }

    @Test("a message that goes on behind its length is none")
    func trailing() {
        #expect(STUNMessage(message([]) + [0, 0, 0, 0]) == nil)
    }

    @Test("what stands behind MESSAGE-INTEGRITY is left out, and FINGERPRINT is not")
    func behindIntegrity() throws {
        var writer = STUNWriter(.request, transaction)
        writer.append(.username, Array("a:b".utf8))
        writer.sign(code("password"))
        writer.append(.useCandidate)
        writer.append(.priority, 1 as UInt32)
        writer.append(.iceControlled, 1 as UInt64)
        writer.append(.iceControlling, 1 as UInt64)
        writer.append(0x7fff, [])
        writer.append(.errorCode, [0, 0, 4, 0])
        writer.append(.priority, [1])
        let bytes = writer.finished()
        let read = try #require(STUNMessage(bytes))
        #expect(!read.hasUseCandidate && read.priority == nil && read.controlled == nil && read.controlling == nil)
        #expect(!read.hasUnknownAttributes && read.errorCode == nil && read.unknownAttributes(bytes, limit: 8) == [])
        #expect(read.hasGoodFingerprint(bytes) && read.isAuthentic(bytes, code("password")))
    }

    @Test("a second MESSAGE-INTEGRITY does not replace the first")
    func twoCodes() throws {
        var writer = STUNWriter(.request, transaction)
        writer.sign(code("mine"))
        writer.sign(code("other"))
        let bytes = writer.finished()
        let read = try #require(STUNMessage(bytes))
        #expect(read.isAuthentic(bytes, code("mine")) && !read.isAuthentic(bytes, code("other")))
    }

    @Test("of an attribute that is there twice the first one counts")
    func twice() throws {
        var writer = STUNWriter(.failure, transaction)
        for (name, number) in [("one:x", 1), ("two:x", 2)] {
            writer.append(.username, Array(name.utf8))
            writer.append(.priority, UInt32(number))
            writer.append(.iceControlled, UInt64(number))
            writer.append(.iceControlling, UInt64(number))
            writer.append(.errorCode, [0, 0, 4, UInt8(number)])
            writer.append(MappedAddress([192, 0, 2, UInt8(number)], port: 1)!)
        }
        let bytes = writer.finished()
        let read = try #require(STUNMessage(bytes))
        #expect(read.username.map { Array(bytes[$0]) } == Array("one:x".utf8))
        #expect(read.priority == 1 && read.controlled == 1 && read.controlling == 1 && read.errorCode == 401)
        #expect(read.mappedAddress(bytes)?.bytes == [192, 0, 2, 1])
    }

    @Test("attributes that must be understood and are not are listed once each, as many as are asked for; of the other half none")
    func unknown() throws {
        var writer = STUNWriter(.request, transaction)
        for type in [0x0003, 0x8000, 0x7fff, 0x0003, 0xc057, 0x0002] as [UInt16] { writer.append(type, [1, 2, 3]) }
        let bytes = writer.finished()
        let read = try #require(STUNMessage(bytes))
        #expect(read.hasUnknownAttributes)
        #expect(read.unknownAttributes(bytes, limit: 8) == [3, 0x7fff, 2])
        #expect(read.unknownAttributes(bytes, limit: 2) == [3, 0x7fff])
    }

    @Test("attributes that may be ignored are, with SOFTWARE and what browsers add")
    func ignored() throws {
        var writer = STUNWriter(.request, transaction)
        for type in [0x8022, 0xc001, 0xc057, 0x8000, 0xffff] as [UInt16] { writer.append(type, [1]) }
        let read = try #require(STUNMessage(writer.bare()))
        #expect(!read.hasUnknownAttributes)
    }

    @Test("a mapped address of another family or size is none")
    func mappedAddress() throws {
        for value in [
            [0, 3, 0, 0, 1, 2, 3, 4], [0, 1, 0, 0, 1, 2, 3], [0, 2, 0, 0, 1, 2, 3, 4], [0, 1, 0], [0, 1, 0, 0, 1, 2, 3, 4, 5],
        ] {
            var writer = STUNWriter(.success, transaction)
            writer.append(.xorMappedAddress, value.map { UInt8($0) })
            let bytes = writer.finished()
            let read = try #require(STUNMessage(bytes))
            #expect(read.mappedAddress(bytes) == nil, "\(value)")
        }
    }

    @Test("a message without a code or a fingerprint has no good one")
    func unsigned() throws {
        let bytes = message([])
        let read = try #require(STUNMessage(bytes))
        #expect(!read.isAuthentic(bytes, code("")) && !read.hasGoodFingerprint(bytes))
    }

    @Test("what is written of an error is read again", arguments: STUNErrorCode.allCases)
    func errors(error: STUNErrorCode) throws {
        var writer = STUNWriter(.failure, transaction)
        writer.append(error, unknown: [1, 0x7fff, 3])
        let bytes = writer.finished(code("p"))
        let read = try #require(STUNMessage(bytes))
        #expect(read.kind == .failure && read.errorCode == error.rawValue && read.isAuthentic(bytes, code("p")))
    }

    @Test("any bytes at all are read without a trap")
    func junk() {
        var dice = SystemRandomNumberGenerator()
        var whole = 0
        for _ in 0..<50_000 {
            var attributes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...6, using: &dice) {
                let types: [UInt16] = [0x20, 6, 8, 9, 0x24, 0x25, 0x8028, 0x8029, 0x802a, .random(in: 0 ... .max, using: &dice)]
                let (type, length) = (types.randomElement(using: &dice)!, [0, 4, 4, 8, 8, 20, 3].randomElement(using: &dice)!)
                attributes += [UInt8(type >> 8), UInt8(type & 0xff), 0, UInt8(length)]
                attributes += (0..<(length + 3) & ~3).map { _ in .random(in: 0...255, using: &dice) }
            }
            if Bool.random(using: &dice), !attributes.isEmpty { attributes[.random(in: 0..<attributes.count, using: &dice)] ^= 1 << 2 }
            let bytes = message(attributes)
            guard let read = STUNMessage(bytes) else { continue }
            whole += 1
            _ = read.mappedAddress(bytes)
            _ = read.isAuthentic(bytes) { _ in [UInt8](repeating: 0, count: 20) }
            _ = read.hasGoodFingerprint(bytes)
            #expect(read.unknownAttributes(bytes, limit: 99).isEmpty != read.hasUnknownAttributes)
        }
        #expect(whole > 1000)
    }
}

extension [UInt8] {
    /// The same with another byte at one place.
    func with(_ index: Int, _ byte: UInt8) -> [UInt8] {
        var bytes = self
        bytes[index] = byte
        return bytes
    }
}
