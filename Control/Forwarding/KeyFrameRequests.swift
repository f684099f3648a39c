package import BondWire

/// When a publisher is asked for a key frame (PLI, RFC 4585, 6.3.1; FIR, RFC 5104, 4.3.1): once a second for each layer at most, however
/// many wait, and again until one has come: soon, since browsers take no second request within 300 ms, of whatever layer (libwebrtc,
/// `EncoderRtcpFeedback`), and then each second.
package struct KeyFrameRequests: Sendable {
    package struct Request: Hashable, Sendable {
        package var layer: UInt8
        /// Of a FIR: a repeated request has the number of the one before. Source: RFC 5104, 4.3.1.1.
        package var number: UInt8
    }

    /// Between two requests of one layer.
    package static let interval: Microseconds = 1_000_000
    /// Between the first and the second where no key frame came.
    package static let firstRepeat: Microseconds = 350_000
    /// Who still waits says so again; after this nobody does.
    package static let patience: Microseconds = 5_000_000

    private struct Layer {
        var asked: Microseconds?
        var wanted: Microseconds?
        /// Requests since the last key frame.
        var tries = 0
        var number: UInt8 = 0

        /// When it may be asked for next; nil for at once.
        var due: Microseconds? { asked.map { $0 + (tries == 1 ? KeyFrameRequests.firstRepeat : KeyFrameRequests.interval) } }
    }

    private var layers: [Layer]

    package init(layers: Int) { self.layers = Array(repeating: Layer(), count: layers) }

    /// Somebody waits for a key frame of this layer. It may be said as often as one likes.
    package mutating func want(_ layer: UInt8, at now: Microseconds) {
        guard Int(layer) < layers.count else { return }
        layers[Int(layer)].wanted = now
    }

    /// A key frame of this layer has begun: who waited has it.
    package mutating func came(_ layer: UInt8) {
        guard Int(layer) < layers.count else { return }
        layers[Int(layer)].wanted = nil
        layers[Int(layer)].tries = 0
    }

    package func isPending(_ layer: UInt8) -> Bool { Int(layer) < layers.count && layers[Int(layer)].wanted != nil }

    /// When `next` has something; nil where nobody waits.
    package var nextDue: Microseconds? {
        var next: Microseconds?
        for layer in layers where layer.wanted != nil {
            next = min(next ?? .max, layer.due ?? .min)
        }
        return next
    }

    /// The next request that is to be sent now; asked until it gives nil.
    package mutating func next(at now: Microseconds) -> Request? {
        for index in layers.indices {
            guard let wanted = layers[index].wanted else { continue }
            guard now - wanted < Self.patience else {
                layers[index].wanted = nil
                layers[index].tries = 0
                continue
            }
            if let due = layers[index].due, now < due { continue }
            layers[index].asked = now
            if layers[index].tries == 0 { layers[index].number &+= 1 }
            layers[index].tries += 1
            return Request(layer: UInt8(index), number: layers[index].number)
        }
        return nil
    }
}
