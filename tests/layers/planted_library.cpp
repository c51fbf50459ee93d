int plantedAnswer();
int plantedAnswer() { return 42; }
