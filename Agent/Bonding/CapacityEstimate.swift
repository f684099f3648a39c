/// What a link carries while it is busy: bytes over the time they took, the older ones fading.
///
/// Only busy time counts. A packet that did not wait behind another says nothing about capacity, and an estimate made of such
/// measures the sender itself.
struct CapacityEstimate: Hashable, Sendable {
    /// In milliseconds of busy time.
    let memory: Double
    private(set) var bytes: Double
    private(set) var time: Double

    /// - Parameter rate: the first guess, in bytes per millisecond; it weighs as much as `weight` ms of busy time.
    init(memory: Double, rate: Double, weight: Double) {
        self.memory = memory
        bytes = rate * weight
        time = weight
    }

    /// In bytes per millisecond.
    var rate: Double { bytes / time }

    /// The rate if the silence since the last arrival ends now and with nothing.
    func rate(stalled: Double) -> Double { bytes / (time + stalled) }

    mutating func add(bytes more: Double, over busy: Double) {
        let fade = exponential(-busy / memory)
        bytes = bytes * fade + more
        // Arrivals of one burst carry the same time: the estimate stays finite.
        time = max(time * fade + busy, 1)
    }

    mutating func restart(rate: Double, weight: Double) {
        bytes = rate * weight
        time = weight
    }
}

/// e^x for x <= 0, within 0.1 %: this module imports no C library, and nothing here needs more.
func exponential(_ x: Double) -> Double {
    guard x > -30 else { return 0 }
    // (1 + x/n + (x/n)^2/2)^n, n = 64
    let step = x / 64
    var power = 1 + step + step * step / 2 + step * step * step / 6
    for _ in 0..<6 { power *= power }
    return power
}
