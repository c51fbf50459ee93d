int plantedAnswer();
int betweenAnswer();
int betweenAnswer() { return plantedAnswer() + 1; }
