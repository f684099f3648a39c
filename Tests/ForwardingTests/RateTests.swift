import BondWire
import Testing

@testable import Forwarding

@Suite struct RateWindowTests {
    @Test("an even flow has its rate from the first part on, and none soon after it has ended")
    func even() {
        var window = RateWindow(span: second)
        #expect(window.bitrate(at: 5 * second) == 0)
        for step in 0..<300 as Range<Int64> {
            let now = 10 * second + step * 10 * ms
            window.add(1250, at: now)
            guard step > 15 else { continue }
            let bitrate = window.bitrate(at: now)
            #expect((900_000...1_120_000).contains(bitrate), "\(bitrate) in step \(step)")
        }
        let fading = window.bitrate(at: 13_500 * ms)
        #expect((1...600_000).contains(fading), "\(fading)")
        #expect(window.bitrate(at: 14_100 * ms) == 0)
    }

    @Test("what begins anew after a while without anything is not held against that while")
    func again() {
        var window = RateWindow(span: second)
        window.add(12_500, at: second)
        window.add(12_500, at: 9 * second)
        #expect(window.bitrate(at: 9 * second + 100 * ms) == 1_000_000)
        #expect(window.bitrate(at: 9 * second + 500 * ms) == 200_000)
    }
}

@Suite struct LayerRatesTests {
    /// Ten seconds of pictures, each a packet, of these layers in turn; the rate of each is its share of 100 packets of 1,000 bytes a second.
    private func counted(_ turn: [(spatial: UInt8, temporal: UInt8)]) -> LayerRates {
        var rates = LayerRates(.vp9)
        for step in 0..<1000 {
            var mark = PictureMark()
            (mark.spatial, mark.temporal) = turn[step % turn.count]
            rates.count(1000, mark, at: Microseconds(step) * 10 * ms)
        }
        return rates
    }

    private func shape(_ offers: [LayerChoice.Offer]) -> [String] {
        offers.map { offer in
            let bounds = [offer.target.spatial, offer.target.temporal].map { $0 == .max ? "all" : "\($0)" }
            return "\(bounds.joined(separator: " ")) \((offer.bitrate + 20_000) / 40_000 * 40)"
        }
    }

    @Test("temporal layers are offered one upon the other, of what is not the least half of the pictures and all of them")
    func temporal() {
        var rates = counted([(0, 0), (0, 2), (0, 1), (0, 2)])
        #expect(shape(rates.offers(of: 1, isLeast: true, at: 10 * second)) == ["all 0 200", "all 1 400", "all all 800"])
        #expect(shape(rates.offers(of: 1, isLeast: false, at: 10 * second)) == ["all 1 400", "all all 800"])
        let all = rates.bitrate(at: 10 * second)
        #expect((780_000...830_000).contains(all), "\(all)")
        let layers = rates.offers(of: 1, isLeast: true, at: 10 * second).map(\.target.layer)
        #expect(layers == [1, 1, 1])
    }

    @Test("spatial layers are offered with those that they are made upon, and few pictures of the least alone")
    func spatial() {
        var rates = counted([(0, 0), (1, 0), (0, 1), (1, 1)])
        #expect(shape(rates.offers(of: 0, isLeast: true, at: 10 * second)) == ["0 0 200", "0 all 400", "all 0 400", "all all 800"])
    }

    @Test("a source of which nothing has come is one offer that costs nothing, and a ladder never gets cheaper upwards")
    func ladder() {
        var empty = LayerRates(.vp8)
        let nothing = empty.offers(of: 2, isLeast: true, at: second)
        #expect(nothing == [LayerChoice.Offer(LayerTarget(layer: 2), bitrate: 0, height: 0)])
        let costs: [[Int64]] = [[100, 300], [200, 500]]
        let layers = costs.map { $0.map { LayerChoice.Offer(LayerTarget(layer: 0), bitrate: $0, height: 0) } }
        #expect(LayerChoice.Offer.ladder(layers).map(\.bitrate) == [100, 300, 300, 500])
    }
}
