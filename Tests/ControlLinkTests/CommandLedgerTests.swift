import Posix
import Testing
import Units
import Wire

@testable import ControlLink

@Suite("Command ledger")
struct CommandLedgerTests {
    private func id(_ number: Int) -> CommandID {
        CommandID("01ARZ3NDEKTSV4RRFFQ69G" + String(repeating: "0", count: 4 - "\(number)".count) + "\(number)")!
    }

    private func done(_ number: Int) -> CommandOutcome { CommandOutcome(id: id(number), result: .done) }

    @Test("a command is carried out once, however often it comes")
    func once() {
        var ledger = CommandLedger()
        let arrivals = (0..<2).map { _ in ledger.arrived(id(1)) }
        #expect(arrivals == [.new, .running])
        ledger.finished(done(1))
        let again = ledger.arrived(id(1))
        #expect(again == .finished(done(1)))
    }

    @Test("outcomes that could not be sent are kept in order, and given once")
    func unsent() {
        var ledger = CommandLedger()
        for number in 1...3 {
            ledger.finished(done(number))
            ledger.couldNotSend(id(number))
        }
        let first = ledger.takeUnsent()
        let second = ledger.takeUnsent()
        #expect(first == [done(1), done(2), done(3)] && second.isEmpty)
    }

    @Test("the oldest outcomes are forgotten first")
    func bounded() {
        var ledger = CommandLedger(limit: 2)
        for number in 1...3 {
            ledger.finished(done(number))
            ledger.couldNotSend(id(number))
        }
        let unsent = ledger.takeUnsent()
        let forgotten = ledger.arrived(id(1))
        #expect(unsent == [done(2), done(3)] && forgotten == .new)
    }
}

@Suite("Known addresses")
struct KnownAddressesTests {
    @Test("what worked comes first, the resolver's answer behind it, and a failed round asks the resolver")
    func order() {
        let (a, b) = (SocketAddress("192.0.2.1", port: 1)!, SocketAddress("192.0.2.2", port: 1)!)
        var known = KnownAddresses()
        #expect(known.usable == nil)
        known.worked(a)
        known.resolved([b, a])
        #expect(known.usable == [a, b])
        known.roundFailed()
        #expect(known.usable == nil)
        known.roundFailed()
        #expect(known.usable == [a, b])
        known.worked(b)
        #expect(known.usable == [b, a])
        known.failed(b)
        #expect(known.usable == [a, b], "a handshake that was late costs the place, never the address")
    }
}
