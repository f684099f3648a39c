import BondWire
import Testing

@Suite struct LinkNumberTests {
    @Test("A link number is one of sixteen") func bounds() {
        #expect(LinkNumber(15) != nil)
        #expect(LinkNumber(16) == nil)
        #expect(LinkNumber(-1) == nil)
    }
}
