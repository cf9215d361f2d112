# gunzip.pl - Perl's: MODE FILE, to stdout.
use strict;
use warnings;
use Compress::Zlib ();
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);

my ($mode, $name) = @ARGV;
binmode STDOUT;
if ($mode eq 'gzopen') {
    my $file = Compress::Zlib::gzopen($name, 'rb') or die $!;
    my ($piece, $got);
    print $piece while ($got = $file->gzread($piece, 65536)) > 0;
    exit($got < 0);
}
gunzip $name => '-', MultiStream => $mode eq 'multi' or die $GunzipError;
