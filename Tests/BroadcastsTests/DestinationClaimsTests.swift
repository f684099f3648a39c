import Testing
import Units

@testable import Broadcasts

@Suite("Claims on destinations")
struct DestinationClaimsTests {
    private let first: DestinationID = ID("00000000000000000000000001")!
    private let second: DestinationID = ID("00000000000000000000000002")!

    @Test("nothing is removed while it is being given, and nothing given while it is being removed")
    func never() {
        var claims = DestinationClaims()
        #expect(claims.claim([first, second, first]) == nil)
        #expect(claims.claim([first]) == nil)
        claims.release([first, second, first])
        #expect(claims.remove(first) == false)
        claims.release([first])
        #expect(claims.remove(first) == true)
        #expect(claims.claim([second, first]) == first)
        #expect(claims.remove(second) == true, "what was refused claimed nothing")
        claims.endRemoval(first)
        #expect(claims.claim([first]) == nil)
    }
}
