import Posix
import Testing
import Uplink

@Suite struct AddressChoiceTests {
    let v4 = SocketAddress("192.0.2.1", port: 5000)!
    let v6 = SocketAddress("2001:db8::1", port: 5000)!
    let other = SocketAddress("198.51.100.1", port: 5000)!

    @Test("a link tries the addresses of its own families only")
    func families() {
        #expect(AddressChoice(receivers: [v6, v4], families: [.ipv4]).candidates == [v4])
        #expect(AddressChoice(receivers: [v6, v4], families: [.ipv6]).current == v6)
        var none = AddressChoice(receivers: [v6], families: [.ipv4])
        #expect(none.current == nil)
        #expect(none.failed() == .none)
    }

    @Test("addresses are tried in turn, then all again after pauses that double to eight seconds")
    func rounds() {
        var choice = AddressChoice(receivers: [v6, v4], families: [.ipv4, .ipv6])
        #expect(choice.failed() == .tryNow(v4))
        #expect(choice.failed() == .wait(.seconds(1), v6))
        #expect(choice.failed() == .tryNow(v4))
        #expect(choice.failed() == .wait(.seconds(2), v6))
        for _ in 0..<5 {
            _ = choice.failed()
            _ = choice.failed()
        }
        _ = choice.failed()
        #expect(choice.failed() == .wait(.seconds(8), v6))
    }

    @Test("the address that answered is the first of the next round")
    func answered() {
        var choice = AddressChoice(receivers: [v6, v4, other], families: [.ipv4, .ipv6])
        _ = choice.failed()
        choice.answered()
        #expect(choice.candidates == [v4, other, v6])
        #expect(choice.current == v4)
        #expect(choice.failed() == .tryNow(other))
    }

    @Test("several are tried together, and those that are left after them, before there is a pause")
    func together() {
        let many = (1...20).map { SocketAddress("192.0.2.\($0)", port: 5000)! }
        var choice = AddressChoice(receivers: many + many, families: [.ipv4])
        #expect(choice.candidates == many, "each once")
        #expect(choice.next(16) == Array(many.prefix(16)))
        #expect(choice.failed(choice.next(16)) == .tryNow(many[16]))
        #expect(choice.next(16) == Array(many.suffix(4)))
        #expect(choice.failed(choice.next(16)) == .wait(.seconds(1), many[0]))
        #expect(choice.next(16) == Array(many.prefix(16)))
        choice.answered(many[17])
        #expect(choice.next(4) == [many[17], many[18], many[19], many[0]])
    }

    @Test("one that answers and is of no use comes after the others")
    func useless() {
        var choice = AddressChoice(receivers: [v4, other], families: [.ipv4])
        #expect(choice.failed(after: v4) == .wait(.seconds(1), other))
        #expect(choice.next(16) == [other, v4])
    }
}
