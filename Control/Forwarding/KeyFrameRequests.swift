package import BondWire

/// When a publisher is asked for a key frame (PLI, RFC 4585, 6.3.1; FIR, RFC 5104, 4.3.1): for each layer once a second, however many wait
/// and until one has come, and once more in between, so that a first request that came to nothing does not cost a second.
package struct KeyFrameRequests: Sendable {
    package struct Request: Hashable, Sendable {
        package var layer: UInt8
        /// Of a FIR: a repeated request has the number of the one before. Source: RFC 5104, 4.3.1.1.
        package var number: UInt8
    }

    /// Between two requests of one layer in the long run.
    package static let interval: Microseconds = 1_000_000
    /// Between any two: libwebrtc does not look at what comes within 300 ms of a request that it followed (EncoderRtcpFeedback), of
    /// whichever layer, nor at what comes while its encoder is set up anew.
    package static let pause: Microseconds = 350_000
    /// Who still waits says so again; after this nobody does.
    package static let patience: Microseconds = 5_000_000

    private struct Layer {
        var asked: Microseconds?
        /// When all requests that were sent have had an interval each.
        var paid: Microseconds = 0
        var wanted: Microseconds?
        /// It was asked for since the last key frame.
        var isRepeat = false
        var number: UInt8 = 0

        /// When the next request may be sent.
        var due: Microseconds { asked.map { max($0 + KeyFrameRequests.pause, paid - KeyFrameRequests.interval) } ?? .min }
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
        layers[Int(layer)].isRepeat = false
    }

    package func isPending(_ layer: UInt8) -> Bool { Int(layer) < layers.count && layers[Int(layer)].wanted != nil }

    /// When `next` has something; nil where nobody waits.
    package var nextDue: Microseconds? {
        var next: Microseconds?
        for layer in layers where layer.wanted != nil {
            next = min(next ?? layer.due, layer.due)
        }
        return next
    }

    /// The next request that is to be sent now; asked until it gives nil.
    package mutating func next(at now: Microseconds) -> Request? {
        for index in layers.indices {
            guard let wanted = layers[index].wanted else { continue }
            guard now - wanted < Self.patience else {
                layers[index].wanted = nil
                layers[index].isRepeat = false
                continue
            }
            guard now >= layers[index].due else { continue }
            layers[index].asked = now
            layers[index].paid = max(layers[index].paid, now) + Self.interval
            if !layers[index].isRepeat { layers[index].number &+= 1 }
            layers[index].isRepeat = true
            return Request(layer: UInt8(index), number: layers[index].number)
        }
        return nil
    }
}
