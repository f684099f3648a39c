/// The templates that dependency descriptors of a source refer to, as they came with a key frame.
///
/// Source: "RTP Payload Format For AV1", appendix A.
struct DependencyStructure: Sendable {
    /// What a frame is to those who get one of the decode targets.
    private enum Indication {
        static let notPresent: UInt64 = 0
        static let discardable: UInt64 = 1
        static let switching: UInt64 = 2
    }

    private struct Template {
        var spatial: UInt8
        var temporal: UInt8
        /// Two bits for each decode target, that of the first the lowest.
        var indications: UInt64 = 0
        var needsOthers = false
    }

    /// As many as a template's id tells apart; four spatial and eight temporal layers are what any encoder has.
    private static let templateLimit = 64
    private static let spatialLimit: UInt8 = 4
    private static let temporalLimit: UInt8 = 8

    private var offset = 0
    private var targets = 0
    private var chains = 0
    private var templates: [Template] = []
    /// The highest temporal layer of each decode target.
    private var targetTemporal: [UInt8] = []

    /// - Parameter known: what came before.
    /// - Returns: the mark, and the structure if this one brings it; nil where the bytes are none.
    static func read(_ bytes: Span<UInt8>, _ known: DependencyStructure?) -> (PictureMark, DependencyStructure?)? {
        guard bytes.count >= 3 else { return nil }
        var bits = BitCursor()
        let starts = bits.flag(bytes)
        let ends = bits.flag(bytes)
        let id = Int(bits.take(6, bytes))
        var mark = PictureMark()
        mark.endsFrame = ends
        mark.number = PictureNumber(value: UInt16(truncatingIfNeeded: bits.take(16, bytes)), bits: 16, place: 1)
        var custom = Custom()
        var fresh: DependencyStructure?
        if bytes.count > 3 {
            let hasStructure = bits.flag(bytes)
            let hasActive = bits.flag(bytes)
            custom = Custom(indications: bits.flag(bytes), differences: bits.flag(bytes), chains: bits.flag(bytes))
            if hasStructure {
                guard let read = DependencyStructure(bytes, &bits) else { return nil }
                fresh = read
            }
            if hasActive {
                guard let targets = (fresh ?? known)?.targets else { return nil }
                bits.skip(targets)
            }
        }
        guard let structure = fresh ?? known else {
            // Nobody can do anything with it before a key frame has come.
            mark.startsPicture = starts
            return (mark, nil)
        }
        guard structure.define(&mark, id, custom, bytes, &bits), !bits.isPast(bytes) else { return nil }
        mark.startsPicture = starts && mark.spatial == 0
        mark.isKey = fresh != nil && mark.startsPicture && mark.isKey
        return (mark, fresh)
    }

    /// What a frame says itself, instead of its template.
    private struct Custom {
        var indications = false
        var differences = false
        var chains = false
    }

    /// frame_dependency_definition: layers, and what others need of it.
    private func define(_ mark: inout PictureMark, _ id: Int, _ custom: Custom, _ bytes: Span<UInt8>, _ bits: inout BitCursor) -> Bool {
        let index = (id + Self.templateLimit - offset) % Self.templateLimit
        guard index < templates.count else { return false }
        var frame = templates[index]
        if custom.indications { frame.indications = Self.indications(targets, bytes, &bits) }
        if custom.differences {
            frame.needsOthers = false
            while true {
                let size = Int(bits.take(2, bytes))
                guard size > 0, !bits.isPast(bytes) else { break }
                frame.needsOthers = true
                bits.skip(4 * size)
            }
        }
        if custom.chains { bits.skip(8 * chains) }
        mark.spatial = frame.spatial
        mark.temporal = frame.temporal
        mark.isKey = !frame.needsOthers
        mark.isDiscardable = true
        for target in 0..<targets {
            let indication = frame.indications >> UInt64(2 * target) & 3
            if indication > Indication.discardable { mark.isDiscardable = false }
            if indication == Indication.switching, targetTemporal[target] == frame.temporal { mark.isSwitchUp = true }
        }
        return true
    }

    private static func indications(_ targets: Int, _ bytes: Span<UInt8>, _ bits: inout BitCursor) -> UInt64 {
        var indications: UInt64 = 0
        for target in 0..<targets { indications |= UInt64(bits.take(2, bytes)) << UInt64(2 * target) }
        return indications
    }

    // MARK: - template_dependency_structure

    private init?(_ bytes: Span<UInt8>, _ bits: inout BitCursor) {
        offset = Int(bits.take(6, bytes))
        targets = Int(bits.take(5, bytes)) + 1
        guard readLayers(bytes, &bits) else { return nil }
        for index in templates.indices { templates[index].indications = Self.indications(targets, bytes, &bits) }
        for index in templates.indices {
            while bits.flag(bytes), !bits.isPast(bytes) {
                templates[index].needsOthers = true
                bits.skip(4)
            }
        }
        chains = Int(bits.nonSymmetric(UInt32(targets) + 1, bytes))
        if chains > 0 {
            for _ in 0..<targets { _ = bits.nonSymmetric(UInt32(chains), bytes) }
            bits.skip(4 * chains * templates.count)
        }
        targetTemporal = (0..<targets).map { target in
            templates.reduce(0) { $1.indications >> UInt64(2 * target) & 3 != Indication.notPresent ? max($0, $1.temporal) : $0 }
        }
        if bits.flag(bytes) { bits.skip(32 * (Int(templates.last?.spatial ?? 0) + 1)) }
        guard !bits.isPast(bytes) else { return nil }
    }

    private mutating func readLayers(_ bytes: Span<UInt8>, _ bits: inout BitCursor) -> Bool {
        var spatial: UInt8 = 0
        var temporal: UInt8 = 0
        while true {
            guard templates.count < Self.templateLimit, !bits.isPast(bytes) else { return false }
            templates.append(Template(spatial: spatial, temporal: temporal))
            switch bits.take(2, bytes) {
            case 0: break
            case 1: temporal += 1
            case 2:
                temporal = 0
                spatial += 1
            default: return true
            }
            guard spatial < Self.spatialLimit, temporal < Self.temporalLimit else { return false }
        }
    }
}

/// Reads bits from the highest on. Behind the end there are zeros, and the place moves on.
struct BitCursor {
    private var position = 0

    func isPast(_ bytes: Span<UInt8>) -> Bool { position > 8 * bytes.count }

    mutating func skip(_ count: Int) { position += count }

    mutating func flag(_ bytes: Span<UInt8>) -> Bool { take(1, bytes) != 0 }

    /// - Parameter count: 32 at most.
    mutating func take(_ count: Int, _ bytes: Span<UInt8>) -> UInt32 {
        var value: UInt32 = 0
        for place in position..<position + count {
            let bit = place >> 3 < bytes.count ? bytes[place >> 3] >> UInt8(7 - place & 7) & 1 : 0
            value = value << 1 | UInt32(bit)
        }
        position += count
        return value
    }

    /// ns(n): one of `count` values in as few bits as that takes. Source: AV1 specification, 4.10.7.
    mutating func nonSymmetric(_ count: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
        guard count > 1 else { return 0 }
        let width = 32 - count.leadingZeroBitCount
        let short = (UInt32(1) << UInt32(width)) - count
        let value = take(width - 1, bytes)
        guard value >= short else { return value }
        return value << 1 - short + take(1, bytes)
    }
}
